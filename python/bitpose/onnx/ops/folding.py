# SPDX-License-Identifier: Apache-2.0
"""Col2Im: pictures from the columns that a convolution would read."""

from __future__ import annotations

import math

import numpy as np

from bitpose.ir.graph import Tensor
from bitpose.ir.operators import SCATTER_REDUCTIONS
from bitpose.ir.shapes import window_extent
from bitpose.onnx.builder import Builder, Ints
from bitpose.onnx.ops.parts import part
from bitpose.onnx.ops.shaping import transposed
from bitpose.onnx.registry import onnx_operator


@onnx_operator(18)
def Col2Im(
    b: Builder,
    x: Tensor,
    image_shape: Tensor,
    block_shape: Tensor,
    *,
    dilations: Ints | None = None,
    pads: Ints | None = None,
    strides: Ints | None = None,
) -> Tensor:
    """float32, constant shapes."""
    b.require_dtype(x, "the operand", "float32")
    b.require_rank(x, "the operand", 3, "[N, C * block, L]")
    image, block = b.ints(image_shape, "image_shape"), b.ints(block_shape, "block_shape")
    axes = range(len(image))
    steps, gaps = strides or (1,) * len(image), dilations or (1,) * len(image)
    around = pads or (0,) * (2 * len(image))
    if not len(image) == len(block) == len(steps) == len(gaps) == len(around) // 2:
        b.invalid(f"shapes {list(image)} and {list(block)} and attributes differ in rank")
    taps, batch = math.prod(block), x.shape[0]
    windows = [
        window_extent(image[i], block[i], steps[i], around[i], around[len(image) + i], gaps[i])
        for i in axes
    ]
    if x.shape[1] % taps or x.shape[2] != math.prod(windows):
        b.invalid(f"columns {list(x.shape)} of blocks {list(block)} in {list(image)}")
    channels = x.shape[1] // taps
    # Where tap t of window l lies in the picture; one more element takes what lies in its padding.
    tap, window = np.indices(block), np.indices(windows)
    place = np.zeros((taps, x.shape[2]), np.int64)
    inside = np.ones(place.shape, bool)
    for i in axes:
        at = tap[i].reshape(-1, 1) * gaps[i] + window[i].reshape(1, -1) * steps[i] - around[i]
        inside &= (at >= 0) & (at < image[i])
        place = place * image[i] + at
    pixels = math.prod(image)
    indices = b.constant(np.where(inside, place, pixels).reshape(-1, 1).astype(np.int32))
    columns = b.reshape(x, (batch, channels, taps, x.shape[2]))
    updates = b.reshape(transposed(b, columns, (2, 3, 0, 1)), (indices.shape[0], batch * channels))
    empty = b.constant(np.zeros((pixels + 1, batch * channels), np.float32))
    add = SCATTER_REDUCTIONS.index("add")
    total = b.engine("scatter_nd", [empty, indices, updates], reduction=add)
    picture = part(b, total, 0, 0, pixels)
    return b.reshape(transposed(b, picture, (1, 0)), (batch, channels, *image))
