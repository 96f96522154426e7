# SPDX-License-Identifier: Apache-2.0
"""The operators that a graph may hold, as data.

`ENGINE` lists the operators of the engine: the only ones in a final graph, NHWC, with their wire
names. `IMPORTED` lists those of ONNX that passes look at before the engine's take their place:
ONNX's names and meaning (NCHW), in one canonical form each. Names of the first kind are lower case,
so one graph can hold both. An ONNX operator that no pass needs to see is imported as operators of
the engine straight away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_COMMON = ("Add", "Sub", "Mul", "Div", "Min", "Max", "Pow", "Fmod", "Mod")
#: Values of the attribute `function` of binary_f32, of binary_integer, of compare and of logic, by
#: index. The remainder Fmod has the sign of the dividend, Mod that of the divisor.
FLOAT_FUNCTIONS = (*_COMMON, "PRelu")
INTEGER_FUNCTIONS = (
    *_COMMON,
    *("BitwiseAnd", "BitwiseOr", "BitwiseXor", "ShiftLeft", "ShiftRight"),
)
COMPARISONS = ("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual")
LOGIC = ("And", "Or", "Xor")
#: Functions of one float, with their parameters. They are the values of the attribute `function` of
#: unary_f32, by index (the order of kernels/unary_f32/functions.inc), and the parameters are its
#: alpha and beta. `ir/elementwise.py` has what they are between 8-bit tensors and of constants,
#: `ir/reference/elementwise.py` what the engine computes.
UNARY: Mapping[str, tuple[str, ...]] = {
    "Abs": (),
    "Acos": (),
    "Acosh": (),
    "Asin": (),
    "Asinh": (),
    "Atan": (),
    "Atanh": (),
    "Ceil": (),
    "Celu": ("alpha",),
    "Clip": ("low", "high"),
    "Cos": (),
    "Cosh": (),
    "Elu": ("alpha",),
    "Erf": (),
    "Exp": (),
    "Floor": (),
    "Gelu": (),
    "GeluTanh": (),
    "HardSigmoid": ("alpha", "beta"),
    "HardSwish": (),
    "LeakyRelu": ("alpha",),
    "Log": (),
    "Mish": (),
    "Neg": (),
    "Reciprocal": (),
    "Round": (),
    "Selu": ("alpha", "gamma"),
    "Shrink": ("lambd", "bias"),
    "Sigmoid": (),
    "Sign": (),
    "Sin": (),
    "Sinh": (),
    "Softplus": (),
    "Softsign": (),
    "Sqrt": (),
    "Swish": ("alpha",),
    "Tan": (),
    "Tanh": (),
    "ThresholdedRelu": ("alpha",),
}
#: The wire number of each.
UNARY_FUNCTIONS = tuple(UNARY)
#: Values of the attribute `coordinate_mode` of resize2d_*, by index.
COORDINATE_MODES = ("half_pixel", "asymmetric", "align_corners")
#: Values of the attribute `function` of reduce_f32 and reduce_integer, by index.
REDUCTIONS = ("Sum", "Mean", "Prod", "Min", "Max", "L1", "L2", "SumSquare")
#: Values of the attribute `reduction` of scatter_elements and scatter_nd, by index.
SCATTER_REDUCTIONS = ("none", "add", "mul", "min", "max")
MAX_RANK = 6
#: More operands than any operator has.
EVERY = 2**32

QUANTIZED = ("int8",)
BYTES = ("int8", "uint8")
#: What QuantizeLinear gives in a final graph.
CODES = ("int8", "int16")
INTEGERS = (*BYTES, "int16", "int32", "int64")
ANY = ("float32", *INTEGERS, "bool")
#: Weights of floats may be stored as float16; the engine widens them when it packs them.
WEIGHTS = ("float32", "float16")


@dataclass(frozen=True)
class OperandSpec:
    """What an operand must be. `quantized` asks for a scale and a zero point."""

    name: str
    dtypes: tuple[str, ...]
    constant: bool = False
    quantized: bool = False
    rank: int | None = None


@dataclass(frozen=True)
class OperatorSpec:
    """An operator of the engine: operands, the one output, attributes with their wire types."""

    inputs: tuple[OperandSpec, ...]
    output: OperandSpec
    attributes: Mapping[str, str] = field(default_factory=dict)
    variadic: bool = False
    """The last operand may be repeated."""
    elementwise: int = 0
    """So many leading operands meet element by element, in any order of axes; 0: it is no such."""
    one_dtype: int = 0
    """So many leading operands have the dtype of the output; 0: its specs say all."""
    moves: bool = False
    """It moves or selects elements of the first operand (of all, if variadic) and keeps values."""

    @property
    def max_inputs(self) -> float:
        """The most operands; infinity where the last may be repeated."""
        return float("inf") if self.variadic else len(self.inputs)


def _u32(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "u32")


_PADS = _u32("pad_top", "pad_left", "pad_bottom", "pad_right")
_CONV = _u32("stride_h", "stride_w", "dilation_h", "dilation_w") | _PADS
_DECONV = _CONV | _u32("output_padding_h", "output_padding_w")
_POOL = _u32("kernel_h", "kernel_w") | _CONV
_RANGE = {"qmin": "s32", "qmax": "s32"}
_REAL_RANGE = {"fmin": "f32", "fmax": "f32"}
_SCALED_RANGE = {"multiplier": "f32"} | _RANGE
_RESIZE = (
    _u32("output_h", "output_w") | {"scale_h": "f32", "scale_w": "f32"} | _u32("coordinate_mode")
)


def _quantized(name: str, rank: int | None = None) -> OperandSpec:
    return OperandSpec(name, QUANTIZED, quantized=True, rank=rank)


def _float(name: str, rank: int | None = None, constant: bool = False) -> OperandSpec:
    return OperandSpec(name, ("float32",), rank=rank, constant=constant)


def _conv_qs8(weights_rank: int, window: Mapping[str, str] = _CONV) -> OperatorSpec:
    return OperatorSpec(
        (
            _quantized("x", 4),
            OperandSpec("weights", QUANTIZED, constant=True, quantized=True, rank=weights_rank),
            OperandSpec("bias", ("int32",), constant=True, rank=1),
            _float("multiplier", 1, constant=True),
        ),
        _quantized("y", 4),
        {**window, **_RANGE},
    )


def _conv_qs8_f32(weights_rank: int, window: Mapping[str, str] = _CONV) -> OperatorSpec:
    return OperatorSpec(_conv_qs8(weights_rank).inputs, _float("y", 4), {**window, **_REAL_RANGE})


def _conv_qs16(weights_rank: int) -> OperatorSpec:
    _, *constants = _conv_qs8(weights_rank).inputs
    x = OperandSpec("x", ("int16",), quantized=True, rank=4)
    y = OperandSpec("y", CODES, quantized=True, rank=4)
    return OperatorSpec((x, *constants), y, {**_CONV, **_RANGE})


def _conv_f32(weights_rank: int, window: Mapping[str, str] = _CONV) -> OperatorSpec:
    weights = OperandSpec("weights", WEIGHTS, constant=True, rank=weights_rank)
    constants = (weights, _float("bias", 1, True))
    return OperatorSpec((_float("x", 4), *constants), _float("y", 4), {**window, **_REAL_RANGE})


def _map(x: OperandSpec, y: OperandSpec, **attributes: str) -> OperatorSpec:
    return OperatorSpec((x,), y, attributes)


def _each(x: OperandSpec, y: OperandSpec, **attributes: str) -> OperatorSpec:
    return OperatorSpec((x,), y, attributes, elementwise=1)


def _product(a: OperandSpec, b: OperandSpec, y: OperandSpec, **attributes: str) -> OperatorSpec:
    return OperatorSpec((a, b), y, _u32("transpose_b") | attributes)


def _moved(**attributes: str) -> OperatorSpec:
    return OperatorSpec((_X,), _Y, attributes, one_dtype=1, moves=True)


def _binary(*dtypes: str) -> OperatorSpec:
    a, b, y = (OperandSpec(name, dtypes) for name in "aby")
    return OperatorSpec((a, b), y, _u32("function"), elementwise=2, one_dtype=2)


def _relation(*dtypes: str) -> OperatorSpec:
    a, b = (OperandSpec(name, dtypes) for name in "ab")
    return OperatorSpec((a, b), OperandSpec("y", ("bool",)), _u32("function"), elementwise=2)


def _selected(**attributes: str) -> OperatorSpec:
    return OperatorSpec((_X, _INDICES), _Y, attributes, one_dtype=1, moves=True)


def _scattered(**attributes: str) -> OperatorSpec:
    operands = (_X, _INDICES, OperandSpec("updates", ANY))
    return OperatorSpec(operands, _Y, attributes | {"reduction": "u32"}, one_dtype=1)


_X, _Y = OperandSpec("x", ANY), OperandSpec("y", ANY)
_INDEX = ("int32", "int64")
_INDICES = OperandSpec("indices", _INDEX)

ENGINE: Mapping[str, OperatorSpec] = {
    "conv2d_qs8": _conv_qs8(4),
    "dwconv2d_qs8": _conv_qs8(3),
    "conv2d_qs8_f32": _conv_qs8_f32(4),
    "dwconv2d_qs8_f32": _conv_qs8_f32(3),
    "conv2d_qs16": _conv_qs16(4),
    "dwconv2d_qs16": _conv_qs16(3),
    "conv2d_f32": _conv_f32(4),
    "dwconv2d_f32": _conv_f32(3),
    "deconv2d_qs8": _conv_qs8(4, _DECONV),
    "deconv2d_qs8_f32": _conv_qs8_f32(4, _DECONV),
    "deconv2d_f32": _conv_f32(4, _DECONV),
    "dwdeconv2d_qs8": _conv_qs8(3, _DECONV),
    "dwdeconv2d_f32": _conv_f32(3, _DECONV),
    "conv2d_s32": OperatorSpec(
        (OperandSpec("x", ("int32",), rank=4), OperandSpec("weights", ("int32",), rank=4)),
        OperandSpec("y", ("int32",)),
        _CONV,
    ),
    "matmul_f32": _product(_float("a"), _float("b"), _float("y")),
    "matmul_qs8": _product(_quantized("a"), _quantized("b"), _quantized("y"), **_SCALED_RANGE),
    "matmul_s32": _product(*(OperandSpec(name, ("int32",)) for name in "aby")),
    "add_qs8": OperatorSpec(
        (_quantized("a"), _quantized("b")),
        _quantized("y"),
        {"a_multiplier": "s32", "b_multiplier": "s32", "bias": "s32"} | _SCALED_RANGE,
        elementwise=2,
    ),
    "mul_qs8": OperatorSpec(
        (_quantized("a"), _quantized("b")), _quantized("y"), _SCALED_RANGE, elementwise=2
    ),
    "lut_x8": OperatorSpec(
        (OperandSpec("x", BYTES), OperandSpec("table", ("uint8",), constant=True, rank=1)),
        OperandSpec("y", BYTES),
        elementwise=1,
    ),
    "maxpool2d_s8": _map(OperandSpec("x", QUANTIZED, rank=4), OperandSpec("y", QUANTIZED), **_POOL),
    "maxpool2d_f32": _map(_float("x", 4), _float("y", 4), **_POOL),
    "maxpool2d_indices": _map(
        OperandSpec("x", ("int8", "float32"), rank=4),
        OperandSpec("y", ("int64",)),
        **_POOL,
        **_u32("column_major"),
    ),
    "avgpool2d_qs8": _map(
        _quantized("x", 4),
        _quantized("y", 4),
        **_POOL,
        **_u32("count_include_pad"),
        **_SCALED_RANGE,
    ),
    "avgpool2d_f32": _map(_float("x", 4), _float("y", 4), **_POOL, **_u32("count_include_pad")),
    "resize2d_qs8": _map(_quantized("x", 4), _quantized("y", 4), **_RESIZE, **_RANGE),
    "resize2d_f32": _map(_float("x", 4), _float("y", 4), **_RESIZE),
    "quantize_f32_qs8": _each(_float("x"), _quantized("y"), **_RANGE),
    "dequantize_qs8_f32": _each(_quantized("x"), _float("y")),
    "quantize_f32_qs16": _each(_float("x"), OperandSpec("y", ("int16",), quantized=True), **_RANGE),
    "dequantize_qs16_f32": _each(OperandSpec("x", ("int16",), quantized=True), _float("y")),
    "requantize": _each(
        OperandSpec("x", CODES, quantized=True),
        OperandSpec("y", CODES, quantized=True),
        **_RANGE,
    ),
    "binary_f32": _binary("float32"),
    "binary_integer": _binary(*INTEGERS),
    "compare": _relation(*ANY),
    "logic": _relation("bool"),
    "where": OperatorSpec(
        (OperandSpec("condition", ("bool",)), OperandSpec("a", ANY), OperandSpec("b", ANY)),
        _Y,
        elementwise=3,
    ),
    "unary_f32": _each(_float("x"), _float("y"), function="u32", alpha="f32", beta="f32"),
    "softmax_f32": _map(_float("x"), _float("y")),
    "concat": OperatorSpec((_X,), _Y, _u32("axis"), variadic=True, one_dtype=EVERY, moves=True),
    "slice": _moved(**_u32("axis", "start", "length"), step="s32"),
    "gather": _selected(**_u32("axis")),
    "gather_elements": _selected(**_u32("axis")),
    "gather_nd": _selected(**_u32("batch_dims")),
    "scatter_elements": _scattered(**_u32("axis")),
    "scatter_nd": _scattered(),
    "expand": OperatorSpec((_X,), _Y, elementwise=1, one_dtype=1, moves=True),
    "pad": OperatorSpec(
        (_X, OperandSpec("value", ANY)),
        _Y,
        _u32(*(f"{side}{i}" for side in ("before", "after") for i in range(MAX_RANK))),
        one_dtype=2,
    ),
    "cumulative_sum": OperatorSpec(
        (OperandSpec("x", ("float32", "int32", "int64")),),
        OperandSpec("y", ("float32", "int32", "int64")),
        _u32("axis", "exclusive", "reverse"),
        one_dtype=1,
    ),
    "reduce_f32": _map(_float("x"), _float("y"), **_u32("function", "axes")),
    "reduce_integer": OperatorSpec(
        (OperandSpec("x", ANY[1:]),),
        OperandSpec("y", ANY[1:]),
        _u32("function", "axes"),
        one_dtype=1,
    ),
    "resample_f32": OperatorSpec(
        (
            _float("x"),
            OperandSpec("k", ("int32",), constant=True, rank=2),
            _float("w", 2, constant=True),
        ),
        _float("y"),
        _u32("axis"),
    ),
    "argmax": _map(
        OperandSpec("x", ("int8", "float32", "int32")),
        OperandSpec("y", _INDEX),
        **_u32("axis", "keepdims", "select_last_index", "smallest"),
    ),
    "topk": _map(_X, OperandSpec("y", ("int64",)), **_u32("axis", "k", "largest")),
    "cast": _each(_X, _Y),
    "narrow": OperatorSpec(
        (_X, OperandSpec("length", ("int64",))), _Y, _u32("axis"), one_dtype=1, moves=True
    ),
    "nms": OperatorSpec(
        (_float("boxes", 3), _float("scores", 3)),
        OperandSpec("y", ("int64",), rank=2),
        _u32("most", "center_point_box") | {"iou_threshold": "f32", "score_threshold": "f32"},
    ),
    "nonzero": _map(_X, OperandSpec("y", ("int64",), rank=2)),
    "reshape": _moved(),
    "shape": _map(_X, OperandSpec("y", ("int64",), rank=1)),
    "transpose": _moved(**_u32(*(f"perm{i}" for i in range(MAX_RANK)))),
}


@dataclass(frozen=True)
class ImportedSpec:
    """A canonical ONNX-like operation: number of operands and names of attributes.

    Attributes in `optional` appear when a pass has folded something into the node.
    """

    min_inputs: int
    max_inputs: float
    attributes: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()


def _imported(inputs: int, most: float | None = None, *names: str, optional: str = "") -> Any:
    return ImportedSpec(inputs, most or inputs, frozenset(names), frozenset(optional.split()))


#: Two operands that broadcast, of a dtype of their own.
BINARY = tuple(dict.fromkeys((*FLOAT_FUNCTIONS, *INTEGER_FUNCTIONS)))
#: Operations that move or select elements of their first operand and keep their values.
MOVING = (
    *("Reshape", "Transpose", "Slice", "Concat"),
    *(name for name, spec in ENGINE.items() if spec.moves),
)

_POOLED = ("kernel", "strides", "dilations", "pads")
_WINDOW = ("strides", "dilations", "pads", "group")

IMPORTED: Mapping[str, ImportedSpec] = {
    **{name: _imported(1, 1, *parameters) for name, parameters in UNARY.items()},
    **{name: _imported(2) for name in BINARY},
    "Conv": _imported(2, 3, *_WINDOW, optional="fmin fmax"),
    # The weights are laid out as those of Conv.
    "ConvTranspose": _imported(2, 3, *_WINDOW, "output_padding", optional="fmin fmax"),
    # The third operand is a bias of one element per column.
    "MatMul": _imported(2, 3, "transpose_b"),
    "MaxPool": _imported(1, 1, *_POOLED),
    "AveragePool": _imported(1, 1, *_POOLED, "count_include_pad"),
    "Resize": _imported(1, 1, "scales", "coordinate_mode"),
    "Softmax": _imported(1, 1, "axis"),
    "Cast": _imported(1),
    "Transpose": _imported(1, 1, "perm"),
    "Reshape": _imported(1),
    "Concat": _imported(1, float("inf"), "axis"),
    "Slice": _imported(1, 1, "axis", "start", "length", "step"),
    "ArgMax": _imported(1, 1, "axis", "keepdims", "select_last_index", "smallest"),
    "Pad": _imported(1, 1, "pads", "value"),
    "QuantizeLinear": _imported(1, 3, optional="axis qmin qmax"),
    "DequantizeLinear": _imported(1, 3, optional="axis"),
}


def schema_differences(schema: Mapping[str, Any]) -> list[str]:
    """Where `ENGINE` differs from the operators that the engine's own tables list.

    `schema` has the form of `bitpose._core.schema()`. Returns one sentence per difference.
    """
    theirs = schema["operators"]
    found = [f"{name}: the engine does not have it" for name in ENGINE if name not in theirs]
    found += [f"{name}: only the engine has it" for name in theirs if name not in ENGINE]
    for name, spec in ENGINE.items():
        if name in theirs:
            found += [f"{name}: {text}" for text in _differences(spec, theirs[name])]
    return found


def _differences(spec: OperatorSpec, row: Mapping[str, Any]) -> list[str]:
    found = []
    fields = {name: kind for name, kind, *_ in _flat_fields(row["fields"])}
    if fields != dict(spec.attributes):
        found.append(f"attributes are {fields}, here {dict(spec.attributes)}")
    if row["min_inputs"] != len(spec.inputs) or row["outputs"] != 1:
        found.append(f"takes {row['min_inputs']} operands and gives {row['outputs']}")
    return found


def _flat_fields(fields: Sequence[Sequence[Any]]) -> list[tuple[str, str]]:
    """Fields with arrays written out: perm[6] becomes perm0 .. perm5."""
    flat = []
    for name, kind, _, count in fields:
        names = [name] if count == 1 else [f"{name}{i}" for i in range(count)]
        flat += [(x, kind) for x in names]
    return flat
