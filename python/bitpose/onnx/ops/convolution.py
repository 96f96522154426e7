# SPDX-License-Identifier: Apache-2.0
"""Convolutions."""

from __future__ import annotations

from bitpose.ir.graph import Tensor
from bitpose.ir.shapes import deconv_extent
from bitpose.onnx.builder import Builder, Ints
from bitpose.onnx.ops import windows
from bitpose.onnx.ops.windows import Pair, Window
from bitpose.onnx.registry import onnx_operator


@onnx_operator(7)
def Conv(
    b: Builder,
    x: Tensor,
    w: Tensor,
    bias: Tensor | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: Ints | None = None,
    group: int = 1,
    kernel_shape: Ints | None = None,
    pads: Ints | None = None,
    strides: Ints | None = None,
) -> Tensor:
    """1-D and 2-D, float32 or quantized, constant weights and bias, any groups."""
    b.require_dtype(x, "the operand", "float32")
    image, weights, window = conv_window(
        b, x, w, auto_pad, dilations, group, kernel_shape, pads, strides
    )
    shape = window.outputs(b, _extents(image))
    image, around = windows.without_excess(b, image, window)
    y = b.emit(
        "Conv",
        [image, weights] if bias is None else [image, weights, bias],
        (x.shape[0], w.shape[0], *shape),
        strides=window.strides,
        dilations=window.dilations,
        pads=around,
        group=group,
    )
    return windows.like(b, y, x)


def _extents(x: Tensor) -> Pair:
    return x.shape[2], x.shape[3]


def conv_window(
    b: Builder,
    x: Tensor,
    w: Tensor,
    auto_pad: str,
    dilations: Ints | None,
    group: int,
    kernel_shape: Ints | None,
    pads: Ints | None,
    strides: Ints | None,
) -> tuple[Tensor, Tensor, Window]:
    """Operand and weights of a convolution as pictures, and where its windows lie."""
    rank = windows.spatial_rank(b, x)
    b.require_rank(w, "the weights", len(x.shape), "as the operand's")
    if kernel_shape not in (None, w.shape[2:]):
        b.invalid(f"kernel_shape {list(kernel_shape or ())} of weights {list(w.shape)}")
    if w.shape[1] * group != x.shape[1] or w.shape[0] % group:
        b.invalid(f"weights {list(w.shape)} with group {group} for {list(x.shape)}")
    image, weights = windows.as_picture(b, x), windows.as_picture(b, w)
    window = windows.resolve(
        b, _extents(image), rank, _extents(weights), strides, dilations, auto_pad, pads
    )
    return image, weights, window


@onnx_operator(7)
def ConvTranspose(
    b: Builder,
    x: Tensor,
    w: Tensor,
    bias: Tensor | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: Ints | None = None,
    group: int = 1,
    kernel_shape: Ints | None = None,
    output_padding: Ints | None = None,
    output_shape: Ints | None = None,
    pads: Ints | None = None,
    strides: Ints | None = None,
) -> Tensor:
    """1-D and 2-D, float32 or quantized, constant weights and bias, any groups."""
    rank = windows.spatial_rank(b, x)
    b.require_rank(w, "the weights", len(x.shape), "as the operand's")
    b.require_dtype(x, "the operand", "float32")
    if kernel_shape not in (None, w.shape[2:]):
        b.invalid(f"kernel_shape {list(kernel_shape or ())} of weights {list(w.shape)}")
    if w.shape[0] != x.shape[1] or w.shape[0] % group:
        b.invalid(f"weights {list(w.shape)} with group {group} for {list(x.shape)}")
    image, weights = windows.as_picture(b, x), _as_of_conv(b, windows.as_picture(b, w), group)
    window = Window(
        _extents(weights),
        windows.pair(b, strides, "strides", rank),
        windows.pair(b, dilations, "dilations", rank),
        windows.four(b, pads, rank) if auto_pad == "NOTSET" else (0, 0, 0, 0),
    )
    extra = windows.pair(b, output_padding, "output_padding", rank, 0)
    if output_shape is not None:
        wanted = output_shape[-rank:]
        target = (1, wanted[0]) if rank == 1 else (wanted[0], wanted[1])
        window, extra = _to_shape(b, _extents(image), window, extra, target, auto_pad)
    elif auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        height, width = _extents(image)
        target = (height * window.strides[0], width * window.strides[1])
        window, extra = _to_shape(b, (height, width), window, extra, target, auto_pad)
    shape = _deconv_extents(_extents(image), window, extra)
    if min(shape) < 1:
        b.invalid(f"pads {list(window.pads)} leave nothing of the result")
    y = b.emit(
        "ConvTranspose",
        [image, weights] if bias is None else [image, weights, bias],
        (x.shape[0], weights.shape[0], *shape),
        strides=window.strides,
        dilations=window.dilations,
        pads=window.pads,
        group=group,
        output_padding=extra,
    )
    return windows.like(b, y, x)


def _as_of_conv(b: Builder, w: Tensor, group: int) -> Tensor:
    """Weights [C, O / group, h, w] as Conv has them: [O, C / group, h, w]."""
    inputs, outputs, *kernel = w.shape
    if group == 1:
        shape = (outputs, inputs, *kernel)
        return b.emit("Transpose", [w], shape, w.dtype, perm=(1, 0, 2, 3))
    split = b.reshape(w, (group, inputs // group, outputs, *kernel))
    swapped = (group, outputs, inputs // group, *kernel)
    moved = b.emit("Transpose", [split], swapped, w.dtype, perm=(0, 2, 1, 3, 4))
    return b.reshape(moved, (group * outputs, inputs // group, *kernel))


def _deconv_extents(extents: Pair, window: Window, extra: Pair) -> Pair:
    height, width = (
        deconv_extent(
            extents[i],
            window.kernel[i],
            window.strides[i],
            window.pads[i] + window.pads[2 + i],
            window.dilations[i],
            extra[i],
        )
        for i in range(2)
    )
    return height, width


def _to_shape(
    b: Builder, extents: Pair, window: Window, extra: Pair, target: Pair, auto_pad: str
) -> tuple[Window, Pair]:
    """The window whose padding, and the output padding that, make the result of this shape."""
    bare = Window(window.kernel, window.strides, window.dilations, (0, 0, 0, 0))
    full = _deconv_extents(extents, bare, extra)
    totals = (max(0, full[0] - target[0]), max(0, full[1] - target[1]))
    missing = (max(0, target[0] - full[0]), max(0, target[1] - full[1]))
    # The specification gives the larger half to the front unless it says SAME_UPPER.
    pads = windows.divided(b, totals, "SAME_UPPER" if auto_pad == "SAME_UPPER" else "SAME_LOWER")
    padded = Window(window.kernel, window.strides, window.dilations, pads)
    return padded, (extra[0] + missing[0], extra[1] + missing[1])
