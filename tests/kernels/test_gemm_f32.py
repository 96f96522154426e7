# SPDX-License-Identifier: Apache-2.0
"""gemm_f32 against its formula in numpy, with an emulated fused multiply-add."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitpose import _core
from bitpose.ir.fma import fma

from .problems import GENERATORS, Array, Generator, floats, kernels, same_floats


def expected(a: Array, weights: Array, bias: Array, fmin: float, fmax: float) -> Array:
    """acc = bias(j), then acc = fma(a, w, acc) over t and k in order; clamped, NaN stays NaN."""
    rows, columns = a.reshape(len(a), -1), weights.reshape(len(weights), -1)
    acc = np.broadcast_to(bias, (len(rows), len(columns))).astype(np.float32)
    for k in range(rows.shape[1]):
        acc = fma(rows[:, k, None], columns[None, :, k], acc)
    acc = np.where(acc < np.float32(fmin), np.float32(fmin), acc)
    return np.where(acc > np.float32(fmax), np.float32(fmax), acc)


@pytest.mark.parametrize("kernel", kernels("gemm_f32"))
@given(
    m=st.integers(1, 17),
    n=st.integers(1, 50),
    ks=st.integers(1, 4),
    kc=st.integers(1, 12),
    clamp=st.sampled_from([(-np.inf, np.inf), (0.0, np.inf), (0.0, 6.0), (-1.0, -0.5)]),
    special=st.booleans(),
    indirect=st.booleans(),
    generator=GENERATORS,
)
def test_formula(
    kernel: str,
    m: int,
    n: int,
    ks: int,
    kc: int,
    clamp: tuple[float, float],
    special: bool,
    indirect: bool,
    generator: Generator,
) -> None:
    a = floats(generator, m, ks, kc, special=special)
    weights = floats(generator, n, ks, kc, special=special)
    bias = floats(generator, n, special=special)
    got = _core.gemm_f32(kernel, a, weights, bias, *clamp, indirect)
    assert same_floats(got, expected(a, weights, bias, *clamp))
