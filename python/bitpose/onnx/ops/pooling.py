# SPDX-License-Identifier: Apache-2.0
"""Pools."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bitpose.ir.graph import Tensor
from bitpose.onnx.builder import Builder, Ints
from bitpose.onnx.ops import pad, windows
from bitpose.onnx.ops.windows import Pair, Window
from bitpose.onnx.registry import onnx_operator


def _extents(x: Tensor) -> Pair:
    return x.shape[2], x.shape[3]


def _window(
    b: Builder,
    x: Tensor,
    kernel_shape: Ints,
    strides: Ints | None,
    dilations: Ints | None,
    pads: Ints | None,
    auto_pad: str,
) -> tuple[Tensor, Window]:
    """The operand as a picture and the window over it."""
    rank, image = windows.spatial_rank(b, x), windows.as_picture(b, x)
    kernel = windows.pair(b, kernel_shape, "kernel_shape", rank)
    around = windows.resolve(b, _extents(image), rank, kernel, strides, dilations, auto_pad, pads)
    return image, around


def _rounded_up(window: Window, extents: Pair) -> Window:
    """ceil_mode as more padding behind, so that the partial last window fits.

    A window that would start behind the picture and the padding before it does not count.
    """
    pads = list(window.pads)
    for i in range(2):
        room = extents[i] + pads[i] + pads[2 + i] - window.reach[i] - 1
        last = -(-room // window.strides[i]) * window.strides[i]
        if last >= extents[i] + pads[i]:
            last -= window.strides[i]
        pads[2 + i] += max(0, last - room)
    return replace(window, pads=(pads[0], pads[1], pads[2], pads[3]))


def _emit(b: Builder, op: str, x: Tensor, window: Window, **attributes: int) -> Tensor:
    return b.emit(
        op,
        [x],
        (*x.shape[:2], *window.outputs(b, _extents(x))),
        x.dtype,
        kernel=window.kernel,
        strides=window.strides,
        dilations=window.dilations,
        pads=window.pads,
        **attributes,
    )


def _average(b: Builder, x: Tensor, window: Window, count_include_pad: int) -> Tensor:
    b.require_dtype(x, "the operand", "float32")
    return _emit(b, "AveragePool", x, window, count_include_pad=count_include_pad)


@onnx_operator(7)
def MaxPool(
    b: Builder,
    x: Tensor,
    *,
    kernel_shape: Ints,
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    dilations: Ints | None = None,
    pads: Ints | None = None,
    storage_order: int = 0,
    strides: Ints | None = None,
) -> Sequence[Tensor]:
    """1-D and 2-D, float32 or 8-bit."""
    b.require_dtype(x, "the operand", "float32", "int8", "uint8")
    image, window = _window(b, x, kernel_shape, strides, dilations, pads, auto_pad)
    if ceil_mode and auto_pad == "NOTSET":
        window = _rounded_up(window, _extents(image))
    values = windows.like(b, _emit(b, "MaxPool", image, window), x)
    if b.outputs == 1:
        return [values]
    return [values, windows.like(b, _indices(b, image, window, 1 if storage_order else 0), x)]


def _indices(b: Builder, x: Tensor, window: Window, column_major: int) -> Tensor:
    n, channels, height, width = x.shape
    nhwc = b.emit("Transpose", [x], (n, height, width, channels), x.dtype, perm=(0, 2, 3, 1))
    attributes = windows.attributes(window)
    attributes |= {"kernel_h": window.kernel[0], "kernel_w": window.kernel[1]}
    found = b.engine(
        "maxpool2d_indices", [nhwc], np.int64, None, column_major=column_major, **attributes
    )
    shape = (n, channels, *found.shape[1:3])
    return b.emit("Transpose", [found], shape, np.int64, perm=(0, 3, 1, 2))


@onnx_operator(9)
def MaxUnpool(
    b: Builder,
    x: Tensor,
    indices: Tensor,
    output_shape: Tensor | None = None,
    *,
    kernel_shape: Ints,
    pads: Ints | None = None,
    strides: Ints | None = None,
) -> Tensor:
    """1-D and 2-D; a constant output_shape."""
    rank = windows.spatial_rank(b, x)
    kernel = windows.pair(b, kernel_shape, "kernel_shape", rank)
    step, around = windows.pair(b, strides, "strides", rank), windows.four(b, pads, rank)
    extents = _extents(windows.as_picture(b, x))
    natural = [(extents[i] - 1) * step[i] + kernel[i] - around[i] - around[2 + i] for i in range(2)]
    shape = (*x.shape[:2], *natural[2 - rank :])
    nothing = b.constant(np.zeros(math.prod(shape), x.dtype))
    places, values = b.reshape(indices, (indices.elements,)), b.reshape(x, (x.elements,))
    y = b.engine("scatter_elements", [nothing, places, values], x.dtype, None, axis=0, reduction=0)
    y = b.reshape(y, shape)
    if output_shape is None:
        return y
    # The indices count in what the window gives; more is zeros behind it.
    wanted = b.ints(output_shape, "output_shape")
    if len(wanted) != len(shape) or any(w < s for w, s in zip(wanted, shape, strict=True)):
        b.refuse(f"output_shape is {list(wanted)}", f"{list(shape)} or more")
    behind = [w - s for w, s in zip(wanted, shape, strict=True)]
    return pad.padded(b, y, (*(0 for _ in shape), *behind))


@onnx_operator(7)
def AveragePool(
    b: Builder,
    x: Tensor,
    *,
    kernel_shape: Ints,
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    count_include_pad: int = 0,
    dilations: Ints | None = None,
    pads: Ints | None = None,
    strides: Ints | None = None,
) -> Tensor:
    """1-D and 2-D, float32 or quantized."""
    image, window = _window(b, x, kernel_shape, strides, dilations, pads, auto_pad)
    if ceil_mode and auto_pad == "NOTSET":
        rounded = _rounded_up(window, _extents(image))
        if count_include_pad and rounded != window:
            # Zeros around the picture count, what the last window sees beyond them does not.
            image = windows.padded(b, image, window.pads)
            behind = (rounded.pads[2] - window.pads[2], rounded.pads[3] - window.pads[3])
            rounded, count_include_pad = replace(rounded, pads=(0, 0, *behind)), 0
        window = rounded
    return windows.like(b, _average(b, image, window, 1 if count_include_pad else 0), x)


def _lp_pool(b: Builder, x: Tensor, window: Window, p: int) -> Tensor:
    """(sum |x|^p)^(1/p), where the sum is the average over all taps times their number."""
    b.require_dtype(x, "the operand", "float32")
    if p < 1:
        b.invalid(f"p is {p}")

    def power(base: Tensor, exponent: float) -> Tensor:
        return b.emit("Pow", [base, b.constant(np.array(exponent, np.float32))], base.shape)

    if p == 1:
        powers = b.emit("Abs", [x], x.shape)
    elif p == 2:
        powers = b.emit("Mul", [x, x], x.shape)
    else:
        powers = power(b.emit("Abs", [x], x.shape), p)
    average = _average(b, powers, window, 1)
    taps = b.constant(np.array(math.prod(window.kernel), np.float32))
    total = b.emit("Mul", [average, taps], average.shape)
    if p == 1:
        return total
    return b.emit("Sqrt", [total], total.shape) if p == 2 else power(total, 1 / p)


@onnx_operator(7)
def LpPool(
    b: Builder,
    x: Tensor,
    *,
    kernel_shape: Ints,
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    dilations: Ints | None = None,
    p: int = 2,
    pads: Ints | None = None,
    strides: Ints | None = None,
) -> Tensor:
    """1-D and 2-D, float32."""
    image, window = _window(b, x, kernel_shape, strides, dilations, pads, auto_pad)
    if ceil_mode and auto_pad == "NOTSET":
        window = _rounded_up(window, _extents(image))
    return windows.like(b, _lp_pool(b, image, window, p), x)


def _everything(b: Builder, x: Tensor) -> tuple[Tensor, Window]:
    """The operand as a picture, and the window of all of it."""
    if len(x.shape) < 3:
        b.invalid(f"the operand has shape {list(x.shape)}")
    image = windows.as_picture(b, x)
    if len(x.shape) > 4:
        image = b.reshape(x, (*x.shape[:3], math.prod(x.shape[3:])))
    return image, Window(_extents(image), (1, 1), (1, 1), (0, 0, 0, 0))


def _of_rank(b: Builder, y: Tensor, x: Tensor) -> Tensor:
    """The result [N, C, 1, 1] in the rank of the operand."""
    rank = len(x.shape)
    return y if rank == 4 else b.reshape(y, (*y.shape[:2], *(1,) * (rank - 2)))


@onnx_operator(7)
def GlobalAveragePool(b: Builder, x: Tensor) -> Tensor:
    """Any rank, float32 or quantized."""
    return _of_rank(b, _average(b, *_everything(b, x), 0), x)


@onnx_operator(7)
def GlobalMaxPool(b: Builder, x: Tensor) -> Tensor:
    """Any rank, float32 or 8-bit."""
    b.require_dtype(x, "the operand", "float32", "int8", "uint8")
    return _of_rank(b, _emit(b, "MaxPool", *_everything(b, x)), x)


@onnx_operator(7)
def GlobalLpPool(b: Builder, x: Tensor, *, p: int = 2) -> Tensor:
    """Any rank, float32."""
    return _of_rank(b, _lp_pool(b, *_everything(b, x), p), x)
