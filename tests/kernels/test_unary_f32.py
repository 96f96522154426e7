# SPDX-License-Identifier: Apache-2.0
"""unary_f32 against its numpy twin, exact values and the literal functions."""

from __future__ import annotations

import numpy as np
import pytest

from bitpose import _core
from bitpose.ir import elementwise
from bitpose.ir.graph import Tensor
from bitpose.ir.operators import UNARY, UNARY_FUNCTIONS
from bitpose.ir.reference import OPERATORS
from bitpose.ir.reference.operand import Operand

from .problems import Array, kernels, same_floats

ALPHA, BETA = 0.625, 1.25
EXTREMES = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e-45, 3e38, -3e38], np.float32)


def every(step: int) -> Array:
    """Every step-th float32."""
    return np.arange(0, 2**32, step).astype(np.uint32).view(np.float32)


def ordinary() -> Array:
    """Numbers around 0 and 1 of every size that networks have."""
    rng = np.random.default_rng(3)
    return np.concatenate(
        [rng.normal(mean, sigma, 20000) for mean, sigma in ((0, 3), (0, 0.01), (1, 0.1), (0, 40))]
    ).astype(np.float32)


def call(name: str, x: Array, kernel: str = "unary_f32_1__scalar", alpha: float = ALPHA) -> Array:
    return _core.unary_f32(kernel, UNARY_FUNCTIONS.index(name), x, alpha, BETA)


def reference(name: str, x: Array) -> Array:
    tensor = Tensor("x", x.dtype, x.shape)
    attributes = {"function": UNARY_FUNCTIONS.index(name), "alpha": ALPHA, "beta": BETA}
    return OPERATORS["unary_f32"](tensor, Operand(tensor, x), **attributes)


def literal(name: str, x: Array) -> Array:
    parameters = dict(zip(UNARY[name], (ALPHA, BETA), strict=False))
    return elementwise.evaluate(name, [x], parameters)


@pytest.mark.parametrize("kernel", kernels("unary_f32"))
@pytest.mark.parametrize("name", UNARY)
def test_is_its_numpy_twin(name: str, kernel: str) -> None:
    x = np.concatenate([every(99991), ordinary(), EXTREMES])
    assert same_floats(call(name, x, kernel), reference(name, x))


def units(got: Array, exact: Array) -> float:
    """The largest error in units of the last place of the exact value's float32."""
    with np.errstate(all="ignore"):
        unit = np.maximum(np.exp2(np.floor(np.log2(np.abs(exact))) - 23), 2.0**-149)
        counts = np.isfinite(exact.astype(np.float32)) & (exact != 0)
        return float(np.max(np.abs(got - exact) / unit, where=counts, initial=0.0))


#: More than these many units in the last place is a mistake.
BOUNDS = {
    "Celu": 3,
    "Elu": 3,
    "Erf": 1.1,
    "Exp": 0.9,
    "Log": 0.8,
    "Mish": 4,
    "Selu": 4,
    "Sigmoid": 2.3,
    "Softplus": 2,
    "Softsign": 1.6,
    "Swish": 4,
    "Tanh": 2.6,
}


@pytest.mark.parametrize("name", BOUNDS)
def test_accuracy(name: str) -> None:
    """Against the literal function in float64, whose errors do not count here."""
    x = np.concatenate([ordinary(), every(999983)])
    x = x[np.isfinite(x) & ((np.abs(x) < 60) | (name in ("Exp", "Log")))]
    function = elementwise.UNARY[name]
    alpha = 1.0 if name == "Swish" else ALPHA  # Rounding alpha * x counts |alpha * x| times.
    parameters = dict(zip(UNARY[name], (alpha, BETA), strict=False))
    with np.errstate(all="ignore"):
        exact = function(x.astype(np.float64), parameters)
    assert units(call(name, x, alpha=alpha), exact) < BOUNDS[name]


@pytest.mark.parametrize("name", ["Gelu", "GeluTanh", "HardSigmoid", "HardSwish"])
def test_accuracy_of_sums(name: str) -> None:
    """They cancel: good to the last place of x, or of 1."""
    x = ordinary()
    bound = 3 * 2.0**-24 * np.maximum(np.abs(x), 1)
    assert np.all(np.abs(call(name, x) - literal(name, x)) <= bound)


@pytest.mark.parametrize("name", UNARY)
def test_limits(name: str) -> None:
    """Zeros, infinities, NaN and numbers at the ends of the range are those of the formula."""
    got, expected = call(name, EXTREMES), literal(name, EXTREMES)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
    np.testing.assert_allclose(got, expected, rtol=3e-7, atol=0)
    zeros = (EXTREMES == 0) & ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(got[zeros]), np.signbit(expected[zeros]))


def test_tables_of_functions_agree() -> None:
    assert set(elementwise.UNARY) == set(UNARY)
