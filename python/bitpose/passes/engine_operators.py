# SPDX-License-Identifier: Apache-2.0
"""Turns what is left of ONNX into operators of the engine, one by one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from bitpose.errors import Unsupported, UnsupportedModelError
from bitpose.ir.graph import Graph, Node, Quantization, Tensor, ancestors
from bitpose.ir.names import derived, unescape
from bitpose.ir.operators import (
    BINARY,
    ENGINE,
    FLOAT_FUNCTIONS,
    INTEGER_FUNCTIONS,
    INTEGERS,
    MAX_RANK,
    UNARY,
    UNARY_FUNCTIONS,
)
from bitpose.passes import permutations, spatial
from bitpose.passes.rewriter import Rewriter, integer, ints, number

#: What the engine's operators call the dtypes of codes.
_CODES = {"int8": "qs8", "int16": "qs16"}


class _MisfitError(Exception):
    """A node that the engine has no operator for, and what it has.

    `unknown` are tensors whose values would have to be known.
    """

    def __init__(self, problem: str, supported: str, unknown: Sequence[str] = ()) -> None:
        super().__init__(problem)
        self.problem = problem
        self.supported = supported
        self.unknown = unknown


def engine_operators(graph: Graph) -> Graph:
    """Before -> after:

        1. Conv, ConvTranspose, MaxPool,
           AveragePool, Resize                 ->  their NHWC operator, transposes around it
           MatMul(a, b), MatMul(a, b, bias)    ->  matmul_f32, and binary_f32 for the bias
        2. QuantizeLinear, DequantizeLinear    ->  quantize_f32_qs8, dequantize_qs8_f32, or the
                                                   same of qs16
        3. Add, PRelu, Mod, ... (`BINARY`)     ->  binary_f32, binary_integer
        4. Sigmoid, Clip, ... (`UNARY`)        ->  unary_f32
        5. Pow to 2, 3, 1/2, -1                ->  products, a root, a reciprocal
        6. Softmax over another axis           ->  softmax_f32 with transposes around it
        7. Concat, Slice, ArgMax, Cast,
           Reshape, Transpose                  ->  the operator of that name
        8. Pad(x)                              ->  pad(x, value)
        9. DequantizeLinear with a scale s
           per channel and one zero point      ->  dequantize_qs8_f32 with the scale 1, times s

    Raises UnsupportedModelError with every node that has no operator.
    """
    r = Rewriter(graph)
    problems = []
    for node in graph.nodes:
        if node.op in ENGINE:
            r.keep(node)
            continue
        try:
            _convert(r, node)
        except _MisfitError as misfit:
            r.keep(node)
            sources = ancestors(graph.nodes, misfit.unknown)
            bind = tuple(unescape(x) for x in graph.inputs if x in sources)
            problems.append(
                Unsupported(node.name, node.op, 0, misfit.problem, misfit.supported, bind)
            )
    if problems:
        raise UnsupportedModelError(problems)
    return r.finish()


def _convert(r: Rewriter, node: Node) -> None:
    if node.op in _RULES:
        _RULES[node.op](r, node, r.tensor(node.outputs[0]))
    elif node.op in BINARY:
        _binary(r, node, r.tensor(node.outputs[0]))
    elif node.op in UNARY:
        _unary(r, node, r.tensor(node.outputs[0]))
    else:
        raise _MisfitError("nothing could take it in", "this operation beside a Conv")


def _conv(r: Rewriter, node: Node, y: Tensor) -> None:
    weights = r.tensor(node.inputs[1])
    bias = r.tensor(node.inputs[2]) if len(node.inputs) == 3 else None
    if weights.data is None or (bias is not None and bias.data is None):
        raise _MisfitError(
            "weights or bias are computed at run time",
            "constant weights and bias",
            node.inputs[1:],
        )
    if bias is None:
        bias_name = r.constant(derived(y.name, "bias"), np.zeros(y.shape[1], np.float32))
    else:
        bias_name = bias.name
    spatial.emit_nhwc(
        r,
        f"{spatial.conv_operator(node, weights)}_f32",
        r.tensor(node.inputs[0]),
        y,
        spatial.conv_weights(r, node, weights),
        bias_name,
        **spatial.conv_window(node),
        fmin=number(node, "fmin", -math.inf),
        fmax=number(node, "fmax", math.inf),
    )


def _matmul(r: Rewriter, node: Node, y: Tensor) -> None:
    transpose_b = integer(node, "transpose_b")
    if len(node.inputs) == 2:
        r.emit("matmul_f32", node.inputs, y, transpose_b=transpose_b)
        return
    product = Tensor(derived(y.name, "product"), y.dtype, y.shape)
    r.emit("matmul_f32", node.inputs[:2], product, transpose_b=transpose_b)
    add = FLOAT_FUNCTIONS.index("Add")
    r.emit("binary_f32", [product.name, node.inputs[2]], y, function=add)


def _max_pool(r: Rewriter, node: Node, y: Tensor) -> None:
    op = "maxpool2d_s8" if y.dtype == np.int8 else "maxpool2d_f32"
    spatial.emit_nhwc(r, op, r.tensor(node.inputs[0]), y, **spatial.pool_window(node))


def _average_pool(r: Rewriter, node: Node, y: Tensor) -> None:
    spatial.emit_nhwc(
        r,
        "avgpool2d_f32",
        r.tensor(node.inputs[0]),
        y,
        **spatial.pool_window(node),
        count_include_pad=integer(node, "count_include_pad"),
    )


def _resize(r: Rewriter, node: Node, y: Tensor) -> None:
    x = r.tensor(node.inputs[0])
    spatial.emit_nhwc(r, "resize2d_f32", x, y, **spatial.resize_window(node, y))


def _quantize(r: Rewriter, node: Node, y: Tensor) -> None:
    if y.quantization is None:
        raise _MisfitError("an activation has one scale per channel", "one scale per activation")
    bounds = {name: integer(node, name) for name in ("qmin", "qmax")}
    r.emit(f"quantize_f32_{_CODES[y.dtype.name]}", node.inputs, y, **bounds)


def _dequantize(r: Rewriter, node: Node, y: Tensor) -> None:
    x = r.tensor(node.inputs[0])
    if x.dtype.name not in _CODES:
        raise _MisfitError(f"an activation is {x.dtype}", " or ".join(_CODES))
    if len(node.inputs) == 1:
        r.emit(f"dequantize_{_CODES[x.dtype.name]}_f32", node.inputs, y)
    else:
        _dequantize_channels(r, node, x, y)


def _dequantize_channels(r: Rewriter, node: Node, x: Tensor, y: Tensor) -> None:
    """Case 9."""
    scales, zero_points = (r.tensor(name).data for name in node.inputs[1:])
    assert scales is not None
    assert zero_points is not None
    if np.any(zero_points != zero_points[0]):
        raise _MisfitError("the channels of an activation differ in zero point", "one zero point")
    r.tensors[x.name] = replace(x, quantization=Quantization(1.0, int(zero_points[0])))
    steps = Tensor(derived(y.name, "steps"), y.dtype, y.shape)
    r.emit(f"dequantize_{_CODES[x.dtype.name]}_f32", [x.name], steps)
    extents = [-1 if i == integer(node, "axis") else 1 for i in range(len(y.shape))]
    factors = r.constant(derived(y.name, "scales"), scales.reshape(extents))
    r.emit("binary_f32", [steps.name, factors], y, function=FLOAT_FUNCTIONS.index("Mul"))


def _binary(r: Rewriter, node: Node, y: Tensor) -> None:
    floats = y.dtype == np.float32
    functions: Sequence[str] = FLOAT_FUNCTIONS if floats else INTEGER_FUNCTIONS
    if node.op not in functions or y.dtype.name not in ("float32", *INTEGERS):
        supported = ["float32"] if node.op in FLOAT_FUNCTIONS else []
        supported += INTEGERS if node.op in INTEGER_FUNCTIONS else ()
        raise _MisfitError(f"it works on {y.dtype}", ", ".join(supported))
    op = "binary_f32" if floats else "binary_integer"
    r.emit(op, node.inputs, y, function=functions.index(node.op))


def _power(r: Rewriter, node: Node, y: Tensor) -> None:
    """Case 5, where the exponent is one number."""
    x, exponent = (r.tensor(name) for name in node.inputs)
    value = None
    if y.dtype == np.float32 and exponent.data is not None and exponent.elements == 1:
        value = float(exponent.data.reshape(()))
    if value not in (2.0, 3.0, 0.5, -1.0) or x.shape != y.shape:
        _binary(r, node, y)
    elif value > 1:
        multiply = FLOAT_FUNCTIONS.index("Mul")
        base = x.name
        if value == 3.0:
            square = Tensor(derived(y.name, "square"), y.dtype, y.shape)
            base = r.emit("binary_f32", [x.name, x.name], square, function=multiply)
        r.emit("binary_f32", [base, x.name], y, function=multiply)
    else:
        name = "Sqrt" if value == 0.5 else "Reciprocal"
        _unary(r, Node(name, node.name, (x.name,), node.outputs), y)


def _unary(r: Rewriter, node: Node, y: Tensor) -> None:
    """Case 4: the parameters by their order."""
    if y.dtype != np.float32:
        raise _MisfitError(f"it works on {y.dtype}", "float32")
    alpha, beta = ([number(node, name) for name in UNARY[node.op]] + [0.0, 0.0])[:2]
    function = UNARY_FUNCTIONS.index(node.op)
    r.emit("unary_f32", node.inputs, y, function=function, alpha=alpha, beta=beta)


def _softmax(r: Rewriter, node: Node, y: Tensor) -> None:
    axis, rank = integer(node, "axis"), len(y.shape)
    if axis == rank - 1:
        r.emit("softmax_f32", node.inputs, y)
        return
    p = (*(i for i in range(rank) if i != axis), axis)
    moved = spatial.transposed(r, r.tensor(node.inputs[0]), p)
    result = Tensor(permutations.suffix(y.name, p), y.dtype, moved.shape)
    r.emit("softmax_f32", [moved.name], result)
    r.emit("transpose", [result.name], y, **permutations.attributes(permutations.inverse(p)))


def _pad(r: Rewriter, node: Node, y: Tensor) -> None:
    pads, rank = ints(node, "pads"), len(y.shape)
    if rank > MAX_RANK:
        raise _MisfitError(f"its rank is {rank}", f"rank {MAX_RANK} or less")
    amounts = {f"{side}{i}": 0 for side in ("before", "after") for i in range(MAX_RANK)}
    amounts |= {f"before{i}": pads[i] for i in range(rank)}
    amounts |= {f"after{i}": pads[rank + i] for i in range(rank)}
    value = np.array(number(node, "value"), y.dtype)
    constant = r.constant(derived(y.name, "value"), value, y.quantization)
    r.emit("pad", [node.inputs[0], constant], y, **amounts)


def _transpose(r: Rewriter, node: Node, y: Tensor) -> None:
    r.emit("transpose", node.inputs, y, **permutations.attributes(ints(node, "perm")))


def _same(name: str) -> Callable[[Rewriter, Node, Tensor], None]:
    def rule(r: Rewriter, node: Node, y: Tensor) -> None:
        r.emit(name, node.inputs, y, **node.attributes)

    return rule


_RULES: Mapping[str, Callable[[Rewriter, Node, Tensor], None]] = {
    "ArgMax": _same("argmax"),
    "AveragePool": _average_pool,
    "Cast": _same("cast"),
    "Concat": _same("concat"),
    "Conv": _conv,
    "ConvTranspose": _conv,
    "DequantizeLinear": _dequantize,
    "MatMul": _matmul,
    "MaxPool": _max_pool,
    "Pad": _pad,
    "QuantizeLinear": _quantize,
    "Pow": _power,
    "Reshape": _same("reshape"),
    "Resize": _resize,
    "Slice": _same("slice"),
    "Softmax": _softmax,
    "Transpose": _transpose,
}
