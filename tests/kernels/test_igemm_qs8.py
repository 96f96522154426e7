# SPDX-License-Identifier: Apache-2.0
"""igemm_qs8 against its formula in numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitpose import _core

from .problems import CODES, GENERATORS, Array, Generator, Range, codes, kernels, ranges


def expected(
    a: Array, weights: Array, bias: Array, multiplier: Array, za: int, zw: int, y: Range
) -> Array:
    """requantize(bias(j) + sum_t,k (a(i, t, k) - za) * (w(j, t, k) - zw))."""
    acc = np.einsum("itk,jtk->ij", a.astype(np.int64) - za, weights.astype(np.int64) - zw) + bias
    return y.requantize(acc, multiplier)


@pytest.mark.parametrize("kernel", kernels("igemm_qs8"))
@given(
    m=st.integers(1, 20),
    n=st.integers(1, 70),
    ks=st.integers(1, 5),
    kc=st.integers(1, 40),
    za=CODES,
    zw=st.just(0) | CODES,
    y=ranges(),
    magnitude=st.sampled_from([1e-4, 1e-2, 1.0, 1e9]),
    lowest=st.sampled_from([-128, -127]),
    indirect=st.booleans(),
    generator=GENERATORS,
)
def test_formula(
    kernel: str,
    m: int,
    n: int,
    ks: int,
    kc: int,
    za: int,
    zw: int,
    y: Range,
    magnitude: float,
    lowest: int,
    indirect: bool,
    generator: Generator,
) -> None:
    a, weights = codes(generator, m, ks, kc), codes(generator, n, ks, kc, low=lowest)
    bias = generator.integers(-100_000, 100_000, n).astype(np.int32)
    multiplier = (generator.uniform(0.1, 1, n) * magnitude).astype(np.float32)
    got = _core.igemm_qs8(
        kernel, a, weights, bias, multiplier, za, zw, y.zero_point, y.qmin, y.qmax, indirect
    )
    if got is None:  # The kernel must not run this layer; scalar kernels run all.
        assert not kernel.endswith("__scalar")
        return
    np.testing.assert_array_equal(got, expected(a, weights, bias, multiplier, za, zw, y))


@pytest.mark.parametrize("kernel", kernels("igemm_qs8"))
@pytest.mark.parametrize("sign", [-128, 127])
def test_largest_sums(kernel: str, sign: int) -> None:
    """All operands at an end of their range: a saturating sum of products would show."""
    a = np.full((3, 1, 1024), -128, np.int8)
    weights = np.full((33, 1, 1024), sign, np.int8)
    bias, multiplier = np.zeros(33, np.int32), np.full(33, 1e-5, np.float32)
    got = _core.igemm_qs8(kernel, a, weights, bias, multiplier, 127, 0, 3, -128, 127)
    if got is not None:
        y = Range(3, -128, 127)
        np.testing.assert_array_equal(got, expected(a, weights, bias, multiplier, 127, 0, y))


@pytest.mark.parametrize("kernel", kernels("igemm_qs8"))
def test_accumulators_wrap(kernel: str) -> None:
    """Bias at the edge of int32: sums are modulo 2^32, as the formula has it."""
    a, weights = np.full((1, 1, 5), 100, np.int8), np.full((9, 1, 5), 100, np.int8)
    bias = np.full(9, 2**31 - 1, np.int32)
    multiplier = np.full(9, 1e-8, np.float32)
    got = _core.igemm_qs8(kernel, a, weights, bias, multiplier, 0, 0, 0, -128, 127)
    if got is not None:
        wrapped = np.full((1, 9), (2**31 - 1 + 50_000) - 2**32)
        np.testing.assert_array_equal(got, Range(0, -128, 127).requantize(wrapped, multiplier))
