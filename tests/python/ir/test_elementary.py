# SPDX-License-Identifier: Apache-2.0
"""Elementary functions against exact values, and their bits against fixed ones."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bitpose.ir import elementary

Array = NDArray[np.float64]
COUNT = 400
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494")


def exact_erf(x: Decimal) -> Decimal:
    """x - x^3/3 + x^5/(2! 5) - ..., times 2 / sqrt(pi)."""
    term = total = x
    n = 0
    while abs(term) > Decimal(10) ** -50:
        n += 1
        term = -term * x * x / n
        total += term / (2 * n + 1)
    return total * 2 / PI.sqrt()


def exact_tanh(x: Decimal) -> Decimal:
    return 1 - 2 / ((2 * x).exp() + 1)


def exact_sigmoid(x: Decimal) -> Decimal:
    return 1 / (1 + (-x).exp())


def worst(
    function: Callable[[Array], Array], exact: Callable[[Decimal], Decimal], x: Array
) -> float:
    """The largest error in units of the last place."""
    errors = []
    with localcontext() as context:
        context.prec = 60
        for argument, got in zip(x.tolist(), function(x).tolist(), strict=True):
            value = exact(Decimal(argument))
            errors.append(float(abs(Decimal(got) - value) / Decimal(math.ulp(float(value)))))
    return max(errors)


def spread(*sigmas: float) -> Array:
    rng = np.random.default_rng(5)
    return np.concatenate([rng.normal(0, sigma, COUNT) for sigma in sigmas])


@pytest.mark.parametrize(
    ("function", "exact", "x", "bound"),
    [
        (elementary.exp, Decimal.exp, spread(0.01, 1, 200), 1.0),
        (elementary.log, Decimal.ln, np.exp(spread(0.001, 1, 200)), 1.0),
        (elementary.tanh, exact_tanh, spread(0.01, 1, 5), 3.0),
        (elementary.sigmoid, exact_sigmoid, spread(0.01, 1, 20), 2.0),
        (elementary.erf, exact_erf, spread(0.01, 1, 1.5), 2.0),
    ],
)
def test_errors(function: Any, exact: Any, x: Array, bound: float) -> None:
    assert worst(function, exact, x) < bound


@pytest.mark.parametrize("y", [1.7, -3.3, 10.0])
def test_error_of_power(y: float) -> None:
    x = np.exp(spread(1.0))

    def exact(base: Decimal) -> Decimal:
        return (base.ln() * Decimal(y)).exp()

    bound = 2 + 2 * float(np.abs(y * np.log(x)).max())
    assert worst(lambda v: elementary.power(v, np.array(y)), exact, x) < bound


def test_special_values() -> None:
    x = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0])
    expected = {
        elementary.exp: [np.nan, np.inf, 0, 1, 1],
        elementary.log: [np.nan, np.inf, np.nan, -np.inf, -np.inf],
        elementary.tanh: [np.nan, 1, -1, 0, -0.0],
        elementary.sigmoid: [np.nan, 1, 0, 0.5, 0.5],
        elementary.erf: [np.nan, 1, -1, 0, -0.0],
    }
    for function, values in expected.items():
        np.testing.assert_array_equal(function(x), values)
        np.testing.assert_array_equal(np.signbit(function(x[3:])), np.signbit(values[3:]))
    assert elementary.exp(np.array([710.0, -750.0])).tolist() == [np.inf, 0.0]
    assert 0 < elementary.exp(np.array([-745.0]))[0] < 1e-320
    assert elementary.log(np.array([5e-324]))[0] == math.log(5e-324)


def test_special_powers() -> None:
    values = [0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, np.inf, -np.inf, np.nan, 3.0, -3.0]
    for x in values:
        for y in values:
            try:
                expected = math.pow(x, y)
            except OverflowError:
                expected = np.inf
            except ValueError:  # A pole gives infinity with the sign of x, the rest is no number.
                odd = y in (-1.0, -3.0)
                expected = np.copysign(np.inf, x if odd else 1.0) if x == 0 else np.nan
            (got,) = elementary.power(np.array([x]), np.array([y]))
            np.testing.assert_allclose(got, expected, rtol=1e-15, err_msg=f"{x} ** {y}")


def test_bits() -> None:
    """The same on every machine: a digest of many results, made once."""
    x = np.arange(-4000, 4001) / 256
    digest = hashlib.sha256()
    with np.errstate(all="ignore"):
        for function in (elementary.exp, elementary.tanh, elementary.sigmoid, elementary.erf):
            digest.update(function(x).astype("<f8").tobytes())
        digest.update(elementary.log(np.abs(x) + 2**-9).astype("<f8").tobytes())
        digest.update(elementary.power(np.abs(x), x / 8).astype("<f8").tobytes())
    assert digest.hexdigest() == DIGEST


DIGEST = "838070a58661874386da2cd14830b53e2bf3a1e4363cdad5c7b1a40be257fbc3"


def float32s(*extra: float) -> Array:
    """Numbers that float32 holds, of every magnitude."""
    bits = np.arange(0, 2**32, 700001).astype(np.uint32).view(np.float32)
    x = np.concatenate([bits[np.isfinite(bits)], spread(0.1, 3).astype(np.float32)])
    return np.append(x.astype(np.float64), extra)


#: Where each has values.
DOMAINS: dict[str, Callable[[Array], NDArray[np.bool_]]] = {
    "acos": lambda x: np.abs(x) <= 1,
    "asin": lambda x: np.abs(x) <= 1,
    "acosh": lambda x: x >= 1,
    "atanh": lambda x: np.abs(x) < 1,
    "sinh": lambda x: np.abs(x) < 88,
    "cosh": lambda x: np.abs(x) < 88,
}


@pytest.mark.parametrize(
    "name",
    ["sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh"],
)
def test_functions_for_float32(name: str) -> None:
    """Rounded to float32, hardly one is not the nearest number."""
    x = float32s(0.5, 1.0, 16367173.0 * 2.0**72)  # The last one is next to a multiple of pi / 2.
    x = x[DOMAINS[name](x)] if name in DOMAINS else x
    exact = np.array([getattr(math, name)(v) for v in x.tolist()])
    unit = np.exp2(np.floor(np.log2(np.maximum(np.abs(exact), 2.0**-126))) - 23)
    with np.errstate(all="ignore"):
        got = getattr(elementary, name)(x).astype(np.float32)
    assert np.max(np.abs(got - exact) / unit) < 0.501


@pytest.mark.parametrize(
    ("name", "infinite", "zero", "outside"),
    [
        ("sin", np.nan, 0.0, None),
        ("cos", np.nan, 1.0, None),
        ("tan", np.nan, 0.0, None),
        ("asin", np.nan, 0.0, 1.5),
        ("acos", np.nan, np.pi / 2, -1.5),
        ("atan", np.pi / 2, 0.0, None),
        ("asinh", np.inf, 0.0, None),
        ("acosh", np.inf, np.nan, -3.0),
        ("atanh", np.nan, 0.0, 2.0),
    ],
)
def test_ends_of_functions_for_float32(
    name: str, infinite: float, zero: float, outside: float | None
) -> None:
    with np.errstate(all="ignore"):
        got = getattr(elementary, name)(np.array([np.inf, 0.0, -0.0, np.nan, outside or np.nan]))
    np.testing.assert_allclose(got, [infinite, zero, zero, np.nan, np.nan], rtol=1e-12)
    if zero == 0.0:
        assert np.signbit(got).tolist()[1:3] == [False, True]


def test_expm1_and_log1p_keep_small_numbers() -> None:
    x = np.array([1e-300, 1e-20, 1e-9, -1e-9, 0.3, -0.3, 1.0])
    np.testing.assert_allclose(elementary.expm1(x), [math.expm1(v) for v in x], rtol=1e-15)
    np.testing.assert_allclose(elementary.log1p(x), [math.log1p(v) for v in x], rtol=1e-15)
