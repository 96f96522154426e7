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
                number(attributes, f"dilation_{letter}"),
            )
        )
    return tuple(extents)


def _check_groups(inputs: Sequence[Tensor]) -> None:
    """Weights are [O, kh, kw, C / groups]."""
    x, weights = inputs[0].shape, inputs[1].shape
    groups, rest = divmod(x[3], weights[3])
    if rest or weights[0] % groups or inputs[2].shape != weights[:1]:
        raise GraphError(f"weights {weights} do not fit x {x} and bias {inputs[2].shape}")


def _conv(inputs: Sequence[Tensor], attributes: Mapping[str, Attribute], _: Tensor) -> Shape:
    _check_groups(inputs)
    x, weights = inputs[0].shape, inputs[1].shape
    return (x[0], *_windows(x, weights[1:3], attributes), weights[0])


def deconv_extent(
    extent: int, kernel: int, stride: int, padding: int, dilation: int, output_padding: int
) -> int:
    """Outputs of a transposed convolution along an axis; `padding` is that of both ends."""
    return (extent - 1) * stride + dilation * (kernel - 1) + 1 + output_padding - padding


def _deconv(inputs: Sequence[Tensor], attributes: Mapping[str, Attribute], _: Tensor) -> Shape:
    _check_groups(inputs)
    weights = inputs[1].shape
    return _deconv_windows(inputs[0].shape, weights[1:3], weights[0], attributes)


def _dwdeconv(inputs: Sequence[Tensor], attributes: Mapping[str, Attribute], _: Tensor) -> Shape:
    x, weights = inputs[0].shape, inputs[1].shape
    if weights[2] != x[3] or inputs[2].shape != (x[3],):
        raise GraphError(f"weights {weights} do not fit x {x} and bias {inputs[2].shape}")
    return _deconv_windows(x, weights[:2], x[3], attributes)


def _deconv_windows(
    x: Shape, kernel: Shape, outputs: int, attributes: Mapping[str, Attribute]
) -> Shape:
    extents = []
    for axis, letter, before, after in ((0, "h", "top", "bottom"), (1, "w", "left", "right")):
        stride, dilation, output_padding = (
            number(attributes, f"{name}_{letter}")
            for name in ("stride", "dilation", "output_padding")
        )
        padding = number(attributes, f"pad_{before}") + number(attributes, f"pad_{after}")
        extents.append(
            deconv_extent(x[1 + axis], kernel[axis], stride, padding, dilation, output_padding)
        )
    return (x[0], *extents, outputs)


def _dwconv(inputs: Sequence[Tensor], attributes: Mapping[str, Attribute], _: Tensor) -> Shape:
    x, weights = inputs[0].shape, inputs[1].shape
    if weights[2] != x[3] or inputs[2].shape != (x[3],):
        raise GraphError(f"weights {weights} do not fit x {x} and bias {inputs[2].shape}")
    return (x[0], *_windows(x, weights[:2], attributes), x[3])


def _conv_s32(inputs: Sequence[Tensor], attributes: Mapping[str, Attribute], _: Tensor) -> Shape:
    x, weights = inputs[0].shape, inputs[1].shape
    groups, rest = divmod(x[3], weights[3])
    if rest or weights[0] % groups:
        raise GraphError(f"weights {weights} do not fit x {x}")
    return (x[0], *_windows(x, weights[1:3], attributes), weights[0])


def matmul_shape(a: Shape, b: Shape, transpose_b: int) -> Shape:
    """The shape of a product of matrices."""
    if len(a) < 2 or len(b) < 2 or a[-1] != (b[-1] if transpose_b else b[-2]):
        raise GraphError(f"matrices {a} and {b} do not fit")
    return (*broadcast(a[:-2], b[:-2]), a[-2], b[-2] if transpose_b else b[-1])


def _matmul(inputs: Sequence[Tensor], attributes: Mapping[str, Attribute], _: Tensor) -> Shape:
    return matmul_shape(inputs[0].shape, inputs[1].shape, number(attributes, "transpose_b"))


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
    axis, x = number(attributes, "axis"), inputs[0].shape
    return (*x[:axis], len(sliced(x[axis], attributes)), *x[axis + 1 :])


def sliced(extent: int, attributes: Mapping[str, Attribute]) -> range:
    """The elements of an axis that slice takes, without those that lie behind its end."""
    start, length, step = (number(attributes, n) for n in ("start", "length", "step"))
    last = start + (length - 1) * step
    if last < 0 or (step <= 0 and length > 1 and start >= extent):
        raise GraphError(f"slice {start} + i * {step}, i < {length} of {extent} elements")
    if start >= extent:
        return range(0)
    return range(start, min(last + 1, extent), step) if step > 0 else range(start, last - 1, step)


def _gather(inputs: Sequence[Tensor], attributes: Mapping[str, Attribute], _: Tensor) -> Shape:
    axis, (x, indices) = number(attributes, "axis"), (t.shape for t in inputs)
    if len(indices) != 1:
        raise GraphError(f"indices have shape {indices}, not one axis")
    return (*x[:axis], *indices, *x[axis + 1 :])


def _check_selection(x: Shape, indices: Shape, axis: int) -> None:
    inside = all(
        i == axis or n <= extent for i, (n, extent) in enumerate(zip(indices, x, strict=False))
    )
    if len(x) != len(indices) or not inside:
        raise GraphError(f"indices {indices} do not fit {x} beside axis {axis}")


def _gather_elements(
    inputs: Sequence[Tensor], attributes: Mapping[str, Attribute], _: Tensor
) -> Shape:
    _check_selection(inputs[0].shape, inputs[1].shape, number(attributes, "axis"))
    return inputs[1].shape


def _gathered(x: Shape, indices: Shape, batch_dims: int) -> Shape:
    depth = indices[-1] if len(indices) > batch_dims else 0
    if not 0 < depth <= len(x) - batch_dims or x[:batch_dims] != indices[:batch_dims]:
        raise GraphError(f"indices {indices} do not fit {x} with {batch_dims} batch axes")
    return indices[:-1] + x[batch_dims + depth :]


def _gather_nd(inputs: Sequence[Tensor], attributes: Mapping[str, Attribute], _: Tensor) -> Shape:
    return _gathered(inputs[0].shape, inputs[1].shape, number(attributes, "batch_dims"))


def _scatter_elements(
    inputs: Sequence[Tensor], attributes: Mapping[str, Attribute], _: Tensor
) -> Shape:
    x, indices, updates = (t.shape for t in inputs)
    _check_selection(x, indices, number(attributes, "axis"))
    if updates != indices:
        raise GraphError(f"updates {updates} do not fit indices {indices}")
    return x


def _scatter_nd(inputs: Sequence[Tensor], _: Mapping[str, Attribute], __: Tensor) -> Shape:
    x, indices, updates = (t.shape for t in inputs)
    if updates != _gathered(x, indices, 0):
        raise GraphError(f"updates {updates} do not fit indices {indices} into {x}")
    return x


def _expand(inputs: Sequence[Tensor], _: Mapping[str, Attribute], y: Tensor) -> Shape:
    if broadcast(inputs[0].shape, y.shape) != y.shape:
        raise GraphError(f"shape {inputs[0].shape} does not expand to {y.shape}")
    return y.shape


def _pad(inputs: Sequence[Tensor], attributes: Mapping[str, Attribute], _: Tensor) -> Shape:
    x, value = inputs
    if value.elements != 1:
        raise GraphError(f"the value to pad with has shape {value.shape}")
    return tuple(
        extent + number(attributes, f"before{i}") + number(attributes, f"after{i}")
        for i, extent in enumerate(x.shape)
    )


def _reduce(inputs: Sequence[Tensor], attributes: Mapping[str, Attribute], _: Tensor) -> Shape:
    axes, x = number(attributes, "axes"), inputs[0].shape
    if axes >> len(x):
        raise GraphError(f"axes {axes:#b} of shape {x}")
    return tuple(1 if axes >> i & 1 else extent for i, extent in enumerate(x))


def _resample(inputs: Sequence[Tensor], attributes: Mapping[str, Attribute], _: Tensor) -> Shape:
    axis, (x, k, w) = number(attributes, "axis"), (t.shape for t in inputs)
    if k != w:
        raise GraphError(f"weights {w} do not fit indices {k}")
    return (*x[:axis], k[0], *x[axis + 1 :])


def _argmax(inputs: Sequence[Tensor], attributes: Mapping[str, Attribute], _: Tensor) -> Shape:
    axis, x = number(attributes, "axis"), inputs[0].shape
    kept = (1,) if number(attributes, "keepdims") else ()
    return x[:axis] + kept + x[axis + 1 :]


def _topk(inputs: Sequence[Tensor], attributes: Mapping[str, Attribute], _: Tensor) -> Shape:
    axis, k, x = number(attributes, "axis"), number(attributes, "k"), inputs[0].shape
    return (*x[:axis], min(k, x[axis]), *x[axis + 1 :])


def _narrow(inputs: Sequence[Tensor], attributes: Mapping[str, Attribute], _: Tensor) -> Shape:
    axis, (x, length) = number(attributes, "axis"), inputs
    if length.elements != 1:
        raise GraphError(f"the length has shape {length.shape}")
    extent = x.shape[axis]
    if length.data is not None:
        extent = min(max(int(length.data.reshape(())), 0), extent)
    return (*x.shape[:axis], extent, *x.shape[axis + 1 :])


def _nms(inputs: Sequence[Tensor], attributes: Mapping[str, Attribute], _: Tensor) -> Shape:
    boxes, scores = inputs[0].shape, inputs[1].shape
    if boxes != (scores[0], scores[2], 4):
        raise GraphError(f"boxes {boxes} do not fit scores {scores}")
    return max(2, scores[0] * scores[1] * min(number(attributes, "most"), scores[2])), 3


def _nonzero(inputs: Sequence[Tensor], _: Mapping[str, Attribute], __: Tensor) -> Shape:
    return len(inputs[0].shape), max(2, inputs[0].elements)


def _shape(inputs: Sequence[Tensor], _: Mapping[str, Attribute], __: Tensor) -> Shape:
    return (len(inputs[0].shape),)


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
    "conv2d_qs8_f32": _conv,
    "dwconv2d_qs8": _dwconv,
    "dwconv2d_qs8_f32": _dwconv,
    "conv2d_qs16": _conv,
    "dwconv2d_qs16": _dwconv,
    "conv2d_f32": _conv,
    "dwconv2d_f32": _dwconv,
    "deconv2d_qs8": _deconv,
    "deconv2d_qs8_f32": _deconv,
    "deconv2d_f32": _deconv,
    "dwdeconv2d_qs8": _dwdeconv,
    "dwdeconv2d_f32": _dwdeconv,
    "conv2d_s32": _conv_s32,
    "matmul_f32": _matmul,
    "matmul_qs8": _matmul,
    "matmul_s32": _matmul,
    "add_qs8": _broadcast,
    "mul_qs8": _broadcast,
    "lut_x8": _same,
    "maxpool2d_s8": _pool,
    "maxpool2d_f32": _pool,
    "maxpool2d_indices": _pool,
    "avgpool2d_qs8": _pool,
    "avgpool2d_f32": _pool,
    "resize2d_qs8": _resize,
    "resize2d_f32": _resize,
    "quantize_f32_qs8": _same,
    "dequantize_qs8_f32": _same,
    "quantize_f32_qs16": _same,
    "dequantize_qs16_f32": _same,
    "requantize": _same,
    "binary_f32": _broadcast,
    "binary_integer": _broadcast,
    "compare": _broadcast,
    "logic": _broadcast,
    "where": _broadcast,
    "unary_f32": _same,
    "softmax_f32": _same,
    "concat": _concat,
    "slice": _slice,
    "gather": _gather,
    "gather_elements": _gather_elements,
    "gather_nd": _gather_nd,
    "scatter_elements": _scatter_elements,
    "scatter_nd": _scatter_nd,
    "expand": _expand,
    "pad": _pad,
    "cumulative_sum": _same,
    "reduce_f32": _reduce,
    "reduce_integer": _reduce,
    "resample_f32": _resample,
    "argmax": _argmax,
    "topk": _topk,
    "cast": _same,
    "narrow": _narrow,
    "nms": _nms,
    "nonzero": _nonzero,
    "shape": _shape,
    "reshape": _reshape,
    "transpose": _transpose,
}


def output_shape(
    op: str, inputs: Sequence[Tensor], attributes: Mapping[str, Attribute], output: Tensor
) -> Shape:
    """The shape of the output of an operator of the engine.

    `output` is what the graph says of it: reshape and expand take their shape from there.
    Raises GraphError where operands and attributes contradict each other.
    """
    return _RULES[op](inputs, attributes, output)
