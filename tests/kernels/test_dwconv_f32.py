# SPDX-License-Identifier: Apache-2.0
"""dwconv_f32 against its formula in numpy, with an emulated fused multiply-add."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitpose import _core
from bitpose.ir.fma import fma

from .problems import GENERATORS, Generator, floats, kernels, same_floats


@pytest.mark.parametrize("kernel", kernels("dwconv_f32"))
@given(
    filter_shape=st.sampled_from([(3, 3), (5, 5), (1, 1), (2, 4)]),
    channels=st.integers(1, 50),
    output_w=st.integers(1, 12),
    stride=st.integers(1, 3),
    clamp=st.sampled_from([(-np.inf, np.inf), (0.0, 6.0)]),
    special=st.booleans(),
    generator=GENERATORS,
)
def test_formula(
    kernel: str,
    filter_shape: tuple[int, int],
    channels: int,
    output_w: int,
    stride: int,
    clamp: tuple[float, float],
    special: bool,
    generator: Generator,
) -> None:
    kernel_h, kernel_w = filter_shape
    input_w = (output_w - 1) * stride + kernel_w
    x = floats(generator, kernel_h, input_w, channels, special=special)
    weights = floats(generator, kernel_h, kernel_w, channels, special=special)
    bias = floats(generator, channels, special=special)
    got = _core.dwconv_f32(kernel, x, weights, bias, stride, output_w, *clamp)
    acc = np.broadcast_to(bias, (output_w, channels))
    for ky in range(kernel_h):
        for kx in range(kernel_w):
            pixels = x[ky, kx : kx + (output_w - 1) * stride + 1 : stride]
            acc = fma(pixels, weights[ky, kx], acc)
    low, high = np.float32(clamp[0]), np.float32(clamp[1])
    acc = np.where(acc < low, low, acc)
    assert same_floats(got, np.where(acc > high, high, acc))
