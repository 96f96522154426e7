# SPDX-License-Identifier: Apache-2.0
"""Output shapes of the engine's operators, from the shapes of operands and the attributes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from bitpose.errors import GraphError
from bitpose.ir.graph import Attribute, Tensor

Shape = tuple[int, ...]
_Rule = Callable[[Sequence[Tensor], Mapping[str, Attribute], Tensor], Shape]


def number(attributes: Mapping[str, Attribute], name: str) -> int:
    """An integer attribute."""
    value = attributes[name]
    if not isinstance(value, int):
        raise GraphError(f"attribute {name} is {value!r}, not an integer")
    return value


def broadcast(*shapes: Shape) -> Shape:
    """The shape that the given ones broadcast to by numpy's rule; raises GraphError."""
    rank = max(map(len, shapes), default=0)
    padded = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    result = []
    for extents in zip(*padded, strict=True):
        several = {x for x in extents if x != 1}
        if len(several) > 1:
            raise GraphError(f"shapes {', '.join(map(str, shapes))} do not broadcast")
        result.append(several.pop() if several else 1)
    return tuple(result)


def window_extent(
    extent: int, kernel: int, stride: int, before: int, after: int, dilation: int = 1
) -> int:
    """Positions of a window of `kernel` taps over a padded extent."""
    return (extent + before + after - dilation * (kernel - 1) - 1) // stride + 1


def _windows(x: Shape, kernel: Shape, attributes: Mapping[str, Attribute]) -> Shape:
    extents = []
    for axis, letter, before, after in ((0, "h", "top", "bottom"), (1, "w", "left", "right")):
        extents.append(
            window_extent(
                x[1 + axis],
                kernel[axis],
                number(attributes, f"stride_{letter}"),
                number(attributes, f"pad_{before}"),
                number(attributes, f"pad_{after}"),
                number(attributes, f"dilation_{letter}") if "dilation_h" in attributes else 1,
            )
        )
    return tuple(extents)


def _conv(inputs: Sequence[Tensor], attributes: Mapping[str, Attribute], _: Tensor) -> Shape:
    x, weights = inputs[0].shape, inputs[1].shape
    outputs, kh, kw, channels = weights
    if channels != x[3] or inputs[2].shape != (outputs,):
        raise GraphError(f"weights {weights} do not fit x {x} and bias {inputs[2].shape}")
    return (x[0], *_windows(x, (kh, kw), attributes), outputs)


def _dwconv(inputs: Sequence[Tensor], attributes: Mapping[str, Attribute], _: Tensor) -> Shape:
    x, weights = inputs[0].shape, inputs[1].shape
    if weights[2] != x[3] or inputs[2].shape != (x[3],):
        raise GraphError(f"weights {weights} do not fit x {x} and bias {inputs[2].shape}")
    return (x[0], *_windows(x, weights[:2], attributes), x[3])


def _pool(inputs: Sequence[Tensor], attributes: Mapping[str, Attribute], _: Tensor) -> Shape:
    x = inputs[0].shape
    kernel = (number(attributes, "kernel_h"), number(attributes, "kernel_w"))
    return (x[0], *_windows(x, kernel, attributes), x[3])


def _resize(inputs: Sequence[Tensor], attributes: Mapping[str, Attribute], _: Tensor) -> Shape:
    x = inputs[0].shape
    return (x[0], number(attributes, "output_h"), number(attributes, "output_w"), x[3])


def _same(inputs: Sequence[Tensor], _: Mapping[str, Attribute], __: Tensor) -> Shape:
    return inputs[0].shape


def _broadcast(inputs: Sequence[Tensor], _: Mapping[str, Attribute], __: Tensor) -> Shape:
    return broadcast(*(x.shape for x in inputs))


def _concat(inputs: Sequence[Tensor], attributes: Mapping[str, Attribute], _: Tensor) -> Shape:
    axis = number(attributes, "axis")
    rest = {x.shape[:axis] + x.shape[axis + 1 :] for x in inputs}
    if len(rest) != 1:
        raise GraphError(f"parts {[x.shape for x in inputs]} differ beside axis {axis}")
    first = inputs[0].shape
    return (*first[:axis], sum(x.shape[axis] for x in inputs), *first[axis + 1 :])


def _slice(inputs: Sequence[Tensor], attributes: Mapping[str, Attribute], _: Tensor) -> Shape:
    axis, start, length = (number(attributes, name) for name in ("axis", "start", "length"))
    x = inputs[0].shape
    if start + length > x[axis]:
        raise GraphError(f"slice {start} .. {start + length} leaves axis {axis} of {x}")
    return (*x[:axis], length, *x[axis + 1 :])


def _gather_nd(inputs: Sequence[Tensor], _: Mapping[str, Attribute], __: Tensor) -> Shape:
    data, indices = inputs[0].shape, inputs[1].shape
    return indices[:-1] + data[indices[-1] :]


def _argmax(inputs: Sequence[Tensor], attributes: Mapping[str, Attribute], _: Tensor) -> Shape:
    axis, x = number(attributes, "axis"), inputs[0].shape
    kept = (1,) if number(attributes, "keepdims") else ()
    return x[:axis] + kept + x[axis + 1 :]


def _reshape(inputs: Sequence[Tensor], _: Mapping[str, Attribute], y: Tensor) -> Shape:
    if inputs[0].elements != y.elements:
        raise GraphError(f"shape {inputs[0].shape} cannot become {y.shape}")
    return y.shape


def _transpose(inputs: Sequence[Tensor], attributes: Mapping[str, Attribute], _: Tensor) -> Shape:
    x = inputs[0].shape
    perm = [number(attributes, f"perm{i}") for i in range(len(x))]
    if sorted(perm) != list(range(len(x))):
        raise GraphError(f"perm {perm} is no permutation of {len(x)} axes")
    return tuple(x[i] for i in perm)


_RULES: Mapping[str, _Rule] = {
    "conv2d_qs8": _conv,
    "dwconv2d_qs8": _dwconv,
    "conv2d_f32": _conv,
    "dwconv2d_f32": _dwconv,
    "add_qs8": _broadcast,
    "mul_qs8": _broadcast,
    "lut_x8": _same,
    "maxpool2d_s8": _pool,
    "maxpool2d_f32": _pool,
    "avgpool2d_qs8": _pool,
    "avgpool2d_f32": _pool,
    "resize2d_qs8": _resize,
    "resize2d_f32": _resize,
    "quantize_f32_qs8": _same,
    "dequantize_qs8_f32": _same,
    "binary_f32": _broadcast,
    "binary_s32": _broadcast,
    "softmax_f32": _same,
    "concat": _concat,
    "slice": _slice,
    "gather_nd": _gather_nd,
    "argmax": _argmax,
    "cast": _same,
    "reshape": _reshape,
    "transpose": _transpose,
}


def output_shape(
    op: str, inputs: Sequence[Tensor], attributes: Mapping[str, Attribute], output: Tensor
) -> Shape:
    """The shape of the output of an operator of the engine.

    `output` is what the graph says of it: reshape takes its shape from there. Raises GraphError
    where operands and attributes contradict each other.
    """
    return _RULES[op](inputs, attributes, output)
