# SPDX-License-Identifier: Apache-2.0
"""Convolutions."""

from __future__ import annotations

from bitpose.ir.graph import Tensor
from bitpose.onnx.builder import Builder, Ints
from bitpose.onnx.ops import windows
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
    """2-D, float32 or quantized, constant weights; group 1, or one group per channel with one
    output each.
    """
    extents = windows.picture(b, x)
    b.require_rank(w, "the weights", 4, "[O, C / group, kh, kw]")
    b.require_dtype(x, "the operand", "float32")
    outputs, channels, kh, kw = w.shape
    if kernel_shape not in (None, (kh, kw)) or channels * group != x.shape[1]:
        b.invalid(f"weights {list(w.shape)} with group {group} for {list(x.shape)}")
    if group != 1 and not (group == x.shape[1] == outputs):
        b.refuse(
            f"group is {group} for {x.shape[1]} channels and {outputs} outputs",
            "group 1, or one group per channel with one output each",
        )
    step, gaps = windows.pair(b, strides, "strides"), windows.pair(b, dilations, "dilations")
    around = windows.resolve_pads(b, extents, (kh, kw), step, gaps, auto_pad, pads)
    windows.check_pads(b, around, (kh, kw), gaps)
    shape = windows.outputs(b, extents, (kh, kw), step, gaps, around)
    operands = [x, w] if bias is None else [x, w, bias]
    return b.emit(
        "Conv",
        operands,
        (x.shape[0], outputs, *shape),
        strides=step,
        dilations=gaps,
        pads=around,
        group=group,
    )
