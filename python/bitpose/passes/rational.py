# SPDX-License-Identifier: Apache-2.0
"""The best fraction with small terms."""

from __future__ import annotations

from fractions import Fraction


def best_fraction(x: Fraction, limit: int) -> tuple[int, int]:
    """The fraction p / q closest to x >= 0 with 0 <= p <= limit and 1 <= q <= limit.

    Walks down the Stern-Brocot tree. Two neighbours l < x < h enclose x, at first 0/1 and 1/0;
    every fraction between them has terms of at least those of their mediant
    (l.p + h.p) / (l.q + h.q). So as soon as the mediant's terms exceed the limit, no fraction
    within it lies between l and h, and the closer of the two is best. Steps towards one side are
    taken many at a time, as in the continued fraction of x, which bounds the walk by the logarithm
    of the limit. On a tie the fraction with the smaller terms wins.

    For x <= 1 the error is below 1 / (q * limit): q q' > limit q for neighbours p/q and p'/q'.
    """
    if x < 0 or limit < 1:
        raise ValueError(f"no fraction for {x} within {limit}")
    if x == 0:
        return 0, 1
    low, high = (0, 1), (1, 0)
    while True:
        mediant = (low[0] + high[0], low[1] + high[1])
        if max(mediant) > limit:
            return _closer(x, low, high)
        if mediant[0] == x * mediant[1]:
            return mediant
        if mediant[0] < x * mediant[1]:
            low = _advance(x, low, high, limit)
        else:
            high = _advance(x, high, low, limit)


def _advance(
    x: Fraction, moving: tuple[int, int], towards: tuple[int, int], limit: int
) -> tuple[int, int]:
    """moving + k towards for the greatest k that stays within the limit and short of x, k >= 1."""
    (p, q), (a, b) = moving, towards
    # (p + k a) / (q + k b) meets x where k (x b - a) = p - x q; both sides have one sign.
    meeting = (p - x * q) / (x * b - a)
    k = int(meeting)
    if k == meeting and k > 1:
        k -= 1
    if a:
        k = min(k, (limit - p) // a)
    if b:
        k = min(k, (limit - q) // b)
    k = max(k, 1)
    return p + k * a, q + k * b


def _closer(x: Fraction, low: tuple[int, int], high: tuple[int, int]) -> tuple[int, int]:
    if high[1] == 0:
        return low
    below, above = x - Fraction(*low), Fraction(*high) - x
    if below == above:
        return min(low, high)
    return low if below < above else high
