# SPDX-License-Identifier: Apache-2.0
"""From pictures [N, C, H, W] to operators of the engine, which take [N, H, W, C]."""

from __future__ import annotations

from dataclasses import replace

from bitpose.errors import GraphError
from bitpose.ir.graph import Attribute, Node, Quantization, Tensor
from bitpose.ir.names import derived
from bitpose.ir.operators import COORDINATE_MODES
from bitpose.passes import permutations
from bitpose.passes.permutations import Permutation
from bitpose.passes.rewriter import Rewriter, integer, ints


def transposed(r: Rewriter, x: Tensor, p: Permutation) -> Tensor:
    """transpose(x, p), emitted once however often it is asked for."""
    y = replace(
        x, name=permutations.suffix(x.name, p), shape=permutations.apply(x.shape, p), data=None
    )
    return r.tensor(r.emit("transpose", [x.name], y, **permutations.attributes(p)))


def emit_nhwc(
    r: Rewriter, op: str, x: Tensor, y: Tensor, *constants: str, **attributes: Attribute
) -> None:
    """Writes y = op(x, constants) with a transpose before and behind; x and y are NCHW."""
    name = permutations.suffix(y.name, permutations.TO_NHWC)
    result = replace(y, name=name, shape=permutations.apply(y.shape, permutations.TO_NHWC))
    source = transposed(r, x, permutations.TO_NHWC)
    r.emit(op, [source.name, *constants], result, **attributes)
    r.emit("transpose", [name], y, **permutations.attributes(permutations.TO_NCHW))


def _pads(node: Node) -> dict[str, int]:
    top, left, bottom, right = ints(node, "pads")
    return {"pad_top": top, "pad_left": left, "pad_bottom": bottom, "pad_right": right}


#: The convolutions of a graph, transposed or not.
CONVOLUTIONS = ("Conv", "ConvTranspose")


def conv_operator(node: Node, weights: Tensor) -> str:
    """The operator of the engine for a convolution, without its dtype; weights are [O, I, h, w]."""
    depthwise = integer(node, "group") == weights.shape[0] > 1 and weights.shape[1] == 1
    transposed = node.op == "ConvTranspose"
    return f"{'dw' if depthwise else ''}{'deconv2d' if transposed else 'conv2d'}"


def conv_weights(r: Rewriter, node: Node, weights: Tensor, note: Quantization | None = None) -> str:
    """Constant weights [O, I, h, w] as the operator of the engine wants them: moved, no more."""
    assert weights.data is not None
    if conv_operator(node, weights).startswith("dw"):
        data, layout = weights.data[:, 0].transpose(1, 2, 0), "hwc"
    else:
        data, layout = weights.data.transpose(0, 2, 3, 1), "ohwi"
    return r.constant(derived(weights.name, layout), data, note)


def conv_window(node: Node) -> dict[str, int]:
    """The attributes that say where the windows of a convolution or a pool lie."""
    strides, dilations = ints(node, "strides"), ints(node, "dilations")
    window = {
        "stride_h": strides[0],
        "stride_w": strides[1],
        "dilation_h": dilations[0],
        "dilation_w": dilations[1],
        **_pads(node),
    }
    if node.op == "ConvTranspose":
        extra = ints(node, "output_padding")
        window |= {"output_padding_h": extra[0], "output_padding_w": extra[1]}
    return window


def pool_window(node: Node) -> dict[str, int]:
    """The window attributes of a pool of the engine."""
    kernel = ints(node, "kernel")
    return {"kernel_h": kernel[0], "kernel_w": kernel[1], **conv_window(node)}


def resize_window(node: Node, y: Tensor) -> dict[str, int | float]:
    """The attributes of a resize of the engine; y is NCHW."""
    scales = node.attributes["scales"]
    if not isinstance(scales, tuple):
        raise GraphError(f"Resize {node.name!r}: scales are {scales!r}")
    return {
        "output_h": y.shape[2],
        "output_w": y.shape[3],
        "scale_h": float(scales[0]),
        "scale_w": float(scales[1]),
        "coordinate_mode": COORDINATE_MODES.index(str(node.attributes["coordinate_mode"])),
    }
