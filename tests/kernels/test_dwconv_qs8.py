# SPDX-License-Identifier: Apache-2.0
"""dwconv_qs8 against its formula in numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitpose import _core

from .problems import CODES, GENERATORS, Generator, Range, codes, kernels, ranges


@pytest.mark.parametrize("kernel", kernels("dwconv_qs8"))
@given(
    filter_shape=st.sampled_from([(3, 3), (5, 5), (1, 1), (2, 4), (7, 7)]),
    channels=st.integers(1, 70),
    input_w=st.integers(1, 12),
    output_w=st.integers(1, 12),
    stride=st.integers(1, 3),
    dilation=st.integers(1, 2),
    pad=st.integers(0, 3),
    za=CODES,
    zw=st.just(0) | CODES,
    y=ranges(),
    magnitude=st.sampled_from([1e-3, 1e-2, 1e9]),
    generator=GENERATORS,
)
def test_formula(
    kernel: str,
    filter_shape: tuple[int, int],
    channels: int,
    input_w: int,
    output_w: int,
    stride: int,
    dilation: int,
    pad: int,
    za: int,
    zw: int,
    y: Range,
    magnitude: float,
    generator: Generator,
) -> None:
    kernel_h, kernel_w = filter_shape
    x = codes(generator, kernel_h, input_w, channels)
    weights = codes(generator, kernel_h, kernel_w, channels)
    bias = generator.integers(-50_000, 50_000, channels).astype(np.int32)
    multiplier = (generator.uniform(0.1, 1, channels) * magnitude).astype(np.float32)
    first, end = sorted(int(v) for v in generator.integers(0, kernel_h + 1, 2))
    got = _core.dwconv_qs8(
        kernel,
        x,
        weights,
        bias,
        multiplier,
        za,
        zw,
        stride,
        dilation,
        pad,
        output_w,
        first,
        end,
        y.zero_point,
        y.qmin,
        y.qmax,
    )
    if got is None:  # The kernel must not run this layer; scalar kernels run all.
        assert not kernel.endswith("__scalar")
        return
    acc = np.broadcast_to(bias.astype(np.int64), (output_w, channels)).copy()
    for output in range(output_w):
        for kx in range(kernel_w):
            ix = output * stride + kx * dilation - pad
            if 0 <= ix < input_w:
                pixels = x[first:end, ix].astype(np.int64) - za
                acc[output] += (pixels * (weights[first:end, kx].astype(np.int64) - zw)).sum(0)
    np.testing.assert_array_equal(got, y.requantize(acc, multiplier))
