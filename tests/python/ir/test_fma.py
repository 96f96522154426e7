# SPDX-License-Identifier: Apache-2.0
"""The emulated fused multiply-add against exact rational arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bitpose.ir.fma import fma

floats = st.floats(width=32, allow_nan=False, allow_infinity=False)
MAX = float(np.finfo(np.float32).max)
TINY = 2.0**-149


def rounded(exact: Fraction) -> np.float32:
    """The float32 nearest to a number that is not 0, ties to even. Overflows to infinity."""
    magnitude = abs(exact)
    exponent = -149
    while magnitude >= Fraction(2) ** (exponent + 24):
        exponent += 1
    unit = Fraction(2) ** exponent
    steps = round(magnitude / unit)  # Python rounds a Fraction half to even.
    value = Fraction(steps) * unit
    result = np.float32(np.inf) if value >= 2**128 else np.float32(float(value))
    return -result if exact < 0 else result


def fma1(a: float, b: float, c: float) -> np.float32:
    operands = (np.array([v], np.float32) for v in (a, b, c))
    return np.float32(fma(*operands)[0])


@settings(max_examples=2000)
@given(floats, floats, floats)
@example(1 + 2.0**-23, 1 + 2.0**-23, 2.0**-60)
@example(1.0, 1 + 2.0**-23, 2.0**-24)
@example(1.0, 1.0, 2.0**-24 + 2.0**-47)
@example(2.0**-80, 2.0**-69, TINY)
@example(2.0**-75, 2.0**-75, -TINY)
@example(MAX, 1.0, 2.0**103)
@example(MAX, 1.0, 2.0**102)
@example(-MAX, MAX, MAX)
def test_rounds_once(a: float, b: float, c: float) -> None:
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    if exact == 0:
        return
    assert fma1(a, b, c).tobytes() == rounded(exact).tobytes()


@settings(max_examples=2000)
@given(
    st.integers(2**23, 2**24 - 1),
    st.integers(2**23, 2**24 - 1),
    st.integers(-60, 60),
    st.integers(-(2**24), 2**24),
)
def test_rounds_once_where_operands_overlap(a: int, b: int, shift: int, c: int) -> None:
    """Operands whose product and sum straddle each other's last bits: ties and near-ties."""
    values = (float(a), float(b), float(c) * 2.0**shift)
    exact = Fraction(a) * Fraction(b) + Fraction(values[2])
    if exact == 0:
        return
    assert fma1(*values).tobytes() == rounded(exact).tobytes()


@pytest.mark.parametrize(
    ("a", "b", "c", "expected"),
    [
        (1.0, 1.0, -1.0, 0.0),
        (-0.0, 1.0, -0.0, -0.0),
        (-0.0, 1.0, 0.0, 0.0),
        (0.0, 5.0, -0.0, 0.0),
        (2.0, -3.0, 6.0, 0.0),
        (np.inf, 1.0, 1.0, np.inf),
        (1.0, 1.0, -np.inf, -np.inf),
        (MAX, MAX, -np.inf, -np.inf),
    ],
)
def test_special_values(a: float, b: float, c: float, expected: float) -> None:
    assert fma1(a, b, c).tobytes() == np.float32(expected).tobytes()


@pytest.mark.parametrize(
    ("a", "b", "c"),
    [(np.inf, 0.0, 1.0), (np.inf, 1.0, -np.inf), (np.nan, 1.0, 1.0), (1.0, 1.0, np.nan)],
)
def test_nan(a: float, b: float, c: float) -> None:
    assert np.isnan(fma1(a, b, c))


def test_broadcasts() -> None:
    a = np.arange(3, dtype=np.float32)[:, None]
    b = np.arange(4, dtype=np.float32)
    result = fma(a, b, np.ones(1, np.float32))
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, a * b + 1)
