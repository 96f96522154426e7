# SPDX-License-Identifier: Apache-2.0
"""Pools."""

from __future__ import annotations

from bitpose.ir.graph import Tensor
from bitpose.onnx.builder import Builder, Ints
from bitpose.onnx.ops import windows
from bitpose.onnx.registry import onnx_operator

Pads = tuple[int, int, int, int]


def _pool(
    b: Builder,
    x: Tensor,
    kernel_shape: Ints,
    strides: Ints | None,
    dilations: Ints | None,
    pads: Ints | None,
    auto_pad: str,
    ceil_mode: int,
    count_include_pad: int | None,
) -> Tensor:
    """`count_include_pad` is None for a pool that does not count."""
    extents = windows.picture(b, x)
    kernel, step = (
        windows.pair(b, kernel_shape, "kernel_shape"),
        windows.pair(b, strides, "strides"),
    )
    if windows.pair(b, dilations, "dilations") != (1, 1):
        b.refuse(f"dilations are {dilations}", "dilations of 1")
    around = windows.resolve_pads(b, extents, kernel, step, (1, 1), auto_pad, pads)
    if ceil_mode and auto_pad == "NOTSET":
        around = _rounded_up(b, extents, kernel, step, around, bool(count_include_pad))
    windows.check_pads(b, around, kernel)
    shape = (*x.shape[:2], *windows.outputs(b, extents, kernel, step, (1, 1), around))
    if count_include_pad is None:
        b.require_dtype(x, "the operand", "float32", "int8", "uint8")
        return b.emit("MaxPool", [x], shape, x.dtype, kernel=kernel, strides=step, pads=around)
    b.require_dtype(x, "the operand", "float32")
    return b.emit(
        "AveragePool",
        [x],
        shape,
        kernel=kernel,
        strides=step,
        pads=around,
        count_include_pad=count_include_pad,
    )


def _rounded_up(
    b: Builder,
    extents: tuple[int, int],
    kernel: tuple[int, int],
    strides: tuple[int, int],
    pads: Pads,
    counted: bool,
) -> Pads:
    """ceil_mode as more padding behind, so that the partial last window fits."""
    result = list(pads)
    for i in range(2):
        room = extents[i] + pads[i] + pads[2 + i] - kernel[i]
        last = -(-room // strides[i]) * strides[i]
        if last >= extents[i] + pads[i]:
            b.refuse("ceil_mode adds a window that lies in padding alone", "windows on the picture")
        if last > room:
            result[2 + i] += last - room
            if counted:
                b.refuse("ceil_mode with count_include_pad", "one of both")
    return result[0], result[1], result[2], result[3]


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
) -> Tensor:
    """2-D, float32 or 8-bit, dilations of 1, without the output Indices."""
    if b.outputs > 1:
        b.refuse("Indices is an output", "one output")
    return _pool(b, x, kernel_shape, strides, dilations, pads, auto_pad, ceil_mode, None)


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
    """2-D, float32 or quantized, dilations of 1."""
    include = 1 if count_include_pad else 0
    return _pool(b, x, kernel_shape, strides, dilations, pads, auto_pad, ceil_mode, include)


@onnx_operator(7)
def GlobalAveragePool(b: Builder, x: Tensor) -> Tensor:
    """2-D, float32 or quantized."""
    return _pool(b, x, windows.picture(b, x), None, None, None, "NOTSET", 0, 0)


@onnx_operator(7)
def GlobalMaxPool(b: Builder, x: Tensor) -> Tensor:
    """2-D, float32 or 8-bit."""
    return _pool(b, x, windows.picture(b, x), None, None, None, "NOTSET", 0, None)
