# SPDX-License-Identifier: Apache-2.0
"""Operators that see the same elements in another shape or order, or repeat them."""

from __future__ import annotations

import math

import numpy as np

from bitpose.errors import GraphError
from bitpose.ir.graph import Tensor
from bitpose.ir.shapes import Shape, broadcast
from bitpose.onnx.builder import Builder, Ints, resolve_shape
from bitpose.onnx.ops.gather import gather
from bitpose.onnx.ops.parts import part
from bitpose.onnx.registry import onnx_operator


@onnx_operator(7)
def Transpose(b: Builder, x: Tensor, *, perm: Ints | None = None) -> Tensor:
    """Any permutation."""
    rank = len(x.shape)
    order = tuple(reversed(range(rank))) if perm is None else perm
    if sorted(order) != list(range(rank)):
        b.invalid(f"perm {list(order)} for a tensor of rank {rank}")
    return transposed(b, x, order)


@onnx_operator(7)
def Reshape(b: Builder, x: Tensor, shape: Tensor, *, allowzero: int = 0) -> Tensor:
    """Shape constant or computed from shapes."""
    wanted = [n if n == most else -1 for n, most in b.bounded_ints(shape, "shape")]
    return b.reshape(x, resolve_shape(b, x.shape, wanted, bool(allowzero)))


@onnx_operator(7)
def Flatten(b: Builder, x: Tensor, *, axis: int = 1) -> Tensor:
    """Any axis."""
    cut = len(x.shape) if axis == len(x.shape) else b.axis(axis, len(x.shape))
    return b.reshape(x, (math.prod(x.shape[:cut]), math.prod(x.shape[cut:])))


def _squeeze(b: Builder, x: Tensor, axes: Ints | None) -> Tensor:
    rank = len(x.shape)
    if axes is None:
        dropped = {i for i, extent in enumerate(x.shape) if extent == 1}
    else:
        dropped = {b.axis(axis, rank) for axis in axes}
    if any(x.shape[i] != 1 for i in dropped):
        b.invalid(f"axes {sorted(dropped)} of shape {list(x.shape)} are not all 1")
    return b.reshape(x, [extent for i, extent in enumerate(x.shape) if i not in dropped])


@onnx_operator(7, 12)
def Squeeze_1(b: Builder, x: Tensor, *, axes: Ints | None = None) -> Tensor:
    """Any axes."""
    return _squeeze(b, x, axes)


@onnx_operator(13)
def Squeeze_13(b: Builder, x: Tensor, axes: Tensor | None = None) -> Tensor:
    """Constant axes."""
    return _squeeze(b, x, None if axes is None else b.ints(axes, "axes"))


def _unsqueeze(b: Builder, x: Tensor, axes: Ints) -> Tensor:
    rank = len(x.shape) + len(axes)
    added = {b.axis(axis, rank) for axis in axes}
    if len(added) != len(axes):
        b.invalid(f"axes {list(axes)} repeat")
    rest = iter(x.shape)
    return b.reshape(x, [1 if i in added else next(rest) for i in range(rank)])


@onnx_operator(7, 12)
def Unsqueeze_1(b: Builder, x: Tensor, *, axes: Ints) -> Tensor:
    """Any axes."""
    return _unsqueeze(b, x, axes)


@onnx_operator(13)
def Unsqueeze_13(b: Builder, x: Tensor, axes: Tensor) -> Tensor:
    """Constant axes."""
    return _unsqueeze(b, x, b.ints(axes, "axes"))


@onnx_operator(8)
def Expand(b: Builder, x: Tensor, shape: Tensor) -> Tensor:
    """Shape constant or computed from shapes."""
    extents = b.bounded_ints(shape, "shape")
    try:
        wanted = broadcast(x.shape, tuple(most for _, most in extents))
    except GraphError as error:
        b.invalid(str(error))
    y = expand(b, x, wanted)
    offset = len(wanted) - len(extents)
    for i, (least, most) in enumerate(extents):
        own = i + offset - (len(wanted) - len(x.shape))
        if least != most and (own < 0 or x.shape[own] == 1):
            y = b.narrow(y, i + offset, part(b, shape, 0, i, 1))
    return y


def expand(b: Builder, x: Tensor, shape: Shape) -> Tensor:
    """x broadcast to a shape."""
    return x if x.shape == shape else b.engine("expand", [x], x.dtype, shape)


@onnx_operator(7)
def Tile(b: Builder, x: Tensor, repeats: Tensor) -> Tensor:
    """Constant repeats."""
    times, rank = b.ints(repeats, "repeats"), len(x.shape)
    if len(times) != rank:
        b.invalid(f"repeats {list(times)} for a tensor of rank {rank}")
    pairs = list(zip(x.shape, times, strict=True))
    x = expand(b, x, tuple(n if extent == 1 else extent for extent, n in pairs))
    for axis, (extent, n) in enumerate(pairs):
        if extent > 1 and n != 1:
            x = gather(b, x, np.tile(np.arange(extent), n), axis)
    return x


def _blocks(b: Builder, x: Tensor, blocksize: int) -> tuple[int, int, int, int]:
    b.require_rank(x, "the operand", 4, "[N, C, H, W]")
    if blocksize < 1:
        b.invalid(f"blocksize is {blocksize}")
    batch, channels, height, width = x.shape
    return batch, channels, height, width


def transposed(b: Builder, x: Tensor, perm: Ints) -> Tensor:
    """Axis i of the result is axis perm[i] of x."""
    return b.emit("Transpose", [x], [x.shape[i] for i in perm], x.dtype, perm=perm)


@onnx_operator(7)
def DepthToSpace(b: Builder, x: Tensor, *, blocksize: int, mode: str = "DCR") -> Tensor:
    """Modes DCR and CRD."""
    batch, channels, height, width = _blocks(b, x, blocksize)
    if channels % blocksize**2 or mode not in ("DCR", "CRD"):
        b.invalid(f"blocksize {blocksize}, mode {mode!r} of shape {list(x.shape)}")
    depth = channels // blocksize**2
    # In NHWC, where the pictures will be: [N, H, W, block, block, depth] or [..., depth, block,
    # block] becomes [N, H, block, W, block, depth].
    inner = (blocksize, blocksize, depth) if mode == "DCR" else (depth, blocksize, blocksize)
    pixels = b.reshape(transposed(b, x, (0, 2, 3, 1)), (batch, height, width, *inner))
    moved = transposed(b, pixels, (0, 1, 3, 2, 4, 5) if mode == "DCR" else (0, 1, 4, 2, 5, 3))
    wide = b.reshape(moved, (batch, height * blocksize, width * blocksize, depth))
    return transposed(b, wide, (0, 3, 1, 2))


@onnx_operator(7)
def SpaceToDepth(b: Builder, x: Tensor, *, blocksize: int, mode: str = "DCR") -> Tensor:
    """Any blocksize that divides height and width; modes DCR and CRD."""
    batch, channels, height, width = _blocks(b, x, blocksize)
    if height % blocksize or width % blocksize or mode not in ("DCR", "CRD"):
        b.invalid(f"blocksize {blocksize}, mode {mode!r} of shape {list(x.shape)}")
    rows, columns = height // blocksize, width // blocksize
    cells = (batch, rows, blocksize, columns, blocksize, channels)
    pixels = b.reshape(transposed(b, x, (0, 2, 3, 1)), cells)
    moved = transposed(b, pixels, (0, 1, 3, 2, 4, 5) if mode == "DCR" else (0, 1, 3, 5, 2, 4))
    deep = b.reshape(moved, (batch, rows, columns, channels * blocksize**2))
    return transposed(b, deep, (0, 3, 1, 2))
