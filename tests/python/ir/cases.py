# SPDX-License-Identifier: Apache-2.0
"""Random networks of one operator each, with odd sizes and extreme values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.ir.graph import Graph, Node, Quantization, Tensor
from bitpose.ir.operators import (
    ANY,
    COMPARISONS,
    FLOAT_FUNCTIONS,
    INTEGER_FUNCTIONS,
    LOGIC,
    UNARY,
)
from bitpose.ir.shapes import output_shape

Array = NDArray[Any]
Random = np.random.Generator
CONVOLUTIONS = ("conv2d", "dwconv2d", "deconv2d", "dwdeconv2d")
DTYPES = F32, S8, U8, S16, S32, S64, BOOL = tuple(map(np.dtype, ANY))


@dataclass(frozen=True, eq=False)
class Case:
    """A network of one operator and what to feed it."""

    graph: Graph
    feed: Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class Operation:
    """An operator on operands; those that are `fixed` become constants."""

    operands: Mapping[str, Array]
    fixed: tuple[str, ...]
    attributes: Mapping[str, Any]
    dtype: np.dtype[Any]
    quantizations: Mapping[str, Quantization]  # By operand, and "y".
    shape: tuple[int, ...] = ()  # For reshape and expand.


def make_case(op: str, seed: int) -> Case:
    """The case of an operator that `seed` stands for."""
    random = np.random.default_rng([seed, *op.encode()])
    made = _MAKERS[op](random)
    tensors = {}
    for name, data in made.operands.items():
        quantization = made.quantizations.get(name)
        tensors[name] = (
            Tensor.constant(name, data, quantization)
            if name in made.fixed
            else Tensor(name, data.dtype, data.shape, quantization)
        )
    y = Tensor("y", made.dtype, made.shape, made.quantizations.get("y"))
    shape = output_shape(op, list(tensors.values()), made.attributes, y)
    tensors["y"] = Tensor("y", made.dtype, shape, y.quantization)
    inputs = tuple(name for name in made.operands if name not in made.fixed)
    node = Node(op, f"{op}.1", tuple(made.operands), ("y",), made.attributes)
    graph = Graph("case", (node,), tensors, inputs, ("y",))
    return Case(graph, {name: made.operands[name] for name in inputs})


def operators() -> list[str]:
    """Those that `make_case` knows."""
    return list(_MAKERS)


def _codes(random: Random, *shape: int, dtype: np.dtype[Any] = S8) -> Array:
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    kind = random.integers(4)
    if kind == 0:
        return np.asarray(np.where(random.random(shape) < 0.5, low, high), dtype)
    return random.integers(low, high + 1, shape).astype(dtype)


def _floats(random: Random, *shape: int) -> Array:
    """Ordinary numbers, sometimes of all magnitudes, sometimes with infinities and NaN."""
    kind = random.integers(4)
    if kind == 0:
        bits = random.integers(0, 2**32, shape, np.uint32)
        return bits.view(np.float32)
    x = random.standard_normal(shape).astype(np.float32)
    if kind == 1:
        x *= np.exp2(random.integers(-140, 100, shape)).astype(np.float32)
    return x


def _quantization(random: Random, dtype: np.dtype[Any] = S8) -> Quantization:
    scale = np.float32(np.exp2(random.uniform(-8, 2)))
    limits = np.iinfo(dtype)
    return Quantization(float(scale), int(random.integers(limits.min, limits.max + 1)))


def _range(random: Random, dtype: np.dtype[Any] = S8) -> dict[str, int]:
    limits = np.iinfo(dtype)
    low, high = sorted(int(v) for v in random.integers(limits.min, limits.max + 1, 2))
    if random.random() < 0.5:
        low, high = int(limits.min), int(limits.max)
    return {"qmin": low, "qmax": high}


def _real_range(random: Random) -> dict[str, float]:
    low, high = (-np.inf, np.inf) if random.random() < 0.5 else (0.0, 6.0)
    return {"fmin": low, "fmax": high}


def _picture(random: Random, most_channels: int = 40) -> tuple[int, int, int, int]:
    n, h, w = random.integers(1, 3), random.integers(3, 12), random.integers(3, 12)
    return int(n), int(h), int(w), int(random.integers(1, most_channels))


def _window(random: Random, beyond: int = 0) -> tuple[tuple[int, int], dict[str, int]]:
    """Kernel extents and geometry; the padding is less than the kernel's extent + `beyond`."""
    kernel = (int(random.integers(1, 4)), int(random.integers(1, 4)))
    geometry = {f"stride_{a}": int(random.integers(1, 4)) for a in "hw"}
    dilation = 1 if random.random() < 0.7 or max(kernel) > 2 else 2
    geometry |= {f"dilation_{a}": dilation for a in "hw"}
    for side, extent in zip(("top", "left", "bottom", "right"), kernel * 2, strict=True):
        geometry[f"pad_{side}"] = int(random.integers(0, extent + beyond))
    return kernel, geometry


def _multipliers(random: Random, count: int, terms: int) -> Array:
    """Such that accumulators of `terms` products mostly fill the output's range."""
    typical = 100.0 / (5000.0 * np.sqrt(terms))
    return np.asarray(typical * np.exp2(random.uniform(-2, 1, count)), np.float32)


def _layer(
    random: Random, kind: str
) -> tuple[tuple[int, ...], tuple[int, ...], int, dict[str, int]]:
    """Shapes of the input and of the weights, output channels, geometry."""
    shape = _picture(random)
    (kh, kw), geometry = _window(random)
    if "deconv2d" in kind:
        geometry |= {f"output_padding_{a}": int(random.integers(0, 3)) for a in "hw"}
    if kind.startswith("dw"):
        return shape, (kh, kw, shape[3]), shape[3], geometry
    groups = 1 if random.random() < 0.6 else int(random.integers(1, 5))
    channels = max(1, shape[3] // groups)
    outputs = groups * int(random.integers(1, 40 // groups))
    return (*shape[:3], groups * channels), (outputs, kh, kw, channels), outputs, geometry


def _conv_qs8(random: Random, kind: str) -> Operation:
    shape, extents, outputs, geometry = _layer(random, kind)
    weight_zero_point = 0 if random.random() < 0.5 else int(random.integers(-128, 128))
    return Operation(
        {
            "x": _codes(random, *shape),
            "weights": _codes(random, *extents),
            "bias": random.integers(-20000, 20000, outputs).astype(np.int32),
            "multiplier": _multipliers(random, outputs, max(1, int(np.prod(extents)) // outputs)),
        },
        ("weights", "bias", "multiplier"),
        geometry | _range(random),
        S8,
        {
            "x": _quantization(random),
            "weights": Quantization(1.0, weight_zero_point),
            "y": _quantization(random),
        },
    )


def _conv_qs8_f32(random: Random, kind: str) -> Operation:
    codes = _conv_qs8(random, kind)
    attributes = {k: v for k, v in codes.attributes.items() if k not in ("qmin", "qmax")}
    notes = {name: codes.quantizations[name] for name in ("x", "weights")}
    return Operation(codes.operands, codes.fixed, attributes | _real_range(random), F32, notes)


def _conv_qs16(random: Random, kind: str) -> Operation:
    """Some have sums that leave int32."""
    shape, extents, outputs, geometry = _layer(random, kind)
    if kind == "conv2d" and random.random() < 0.3:
        channels = int(random.integers(200, 700))
        shape, extents = (*shape[:3], channels), (*extents[:3], channels)
    dtype = S8 if random.random() < 0.5 else S16
    terms = max(1, int(np.prod(extents)) // outputs)
    most = 2**30 if random.random() < 0.3 else 2**20
    steps = 1 if dtype == S16 else 256
    return Operation(
        {
            "x": _codes(random, *shape, dtype=S16),
            "weights": _codes(random, *extents),
            "bias": random.integers(-most, most + 1, outputs).astype(np.int32),
            "multiplier": _multipliers(random, outputs, terms) / np.float32(steps),
        },
        ("weights", "bias", "multiplier"),
        geometry | _range(random, dtype),
        dtype,
        {
            "x": Quantization(0.25, 0),
            "weights": Quantization(1.0, 0),
            "y": _quantization(random, dtype),
        },
    )


def _conv_f32(random: Random, kind: str) -> Operation:
    shape, extents, outputs, geometry = _layer(random, kind)
    weights = np.nan_to_num(_floats(random, *extents), posinf=1, neginf=-1)
    if random.random() < 0.3:
        with np.errstate(over="ignore"):
            weights = np.nan_to_num(weights.astype(np.float16), posinf=1, neginf=-1)
    return Operation(
        {
            "x": _floats(random, *shape),
            "weights": weights,
            "bias": np.nan_to_num(_floats(random, outputs), posinf=1, neginf=-1),
        },
        ("weights", "bias"),
        geometry | _real_range(random),
        F32,
        {},
    )


def _conv_s32(random: Random) -> Operation:
    shape, extents, _, geometry = _layer(random, "conv2d")
    x, weights = _integers(random, *shape), _integers(random, *extents)
    return Operation({"x": x, "weights": weights}, (), geometry, S32, {})


def _matmul(random: Random, dtype: np.dtype[Any]) -> Operation:
    a_batch, b_batch = _broadcast_shapes(random)
    m, k, n = (int(v) for v in random.integers(1, 40, 3))
    transposed = int(random.integers(0, 2))
    make = {F32: _floats, S8: _codes, S32: _integers}[dtype]
    a = make(random, *a_batch[-2:], m, k)
    b = make(random, *b_batch[-2:], *((n, k) if transposed else (k, n)))
    attributes: dict[str, Any] = {"transpose_b": transposed}
    if dtype == S8:
        scale = (
            np.float32(random.uniform(0.001, 0.02)) if random.random() < 0.9 else np.float32(9e5)
        )
        attributes |= {"multiplier": float(scale)} | _range(random)
    names = ("a", "b", "y") if dtype == S8 else ()
    quantizations = {name: _quantization(random) for name in names}
    return Operation({"a": a, "b": b}, (), attributes, dtype, quantizations)


def _broadcast_shapes(random: Random) -> tuple[tuple[int, ...], tuple[int, ...]]:
    shape = tuple(int(v) for v in random.integers(1, 9, random.integers(1, 5)))
    pair = []
    for _ in range(2):
        drop = int(random.integers(0, len(shape))) if random.random() < 0.3 else 0
        part = shape[drop:]
        pair.append(tuple(1 if random.random() < 0.25 else extent for extent in part))
    return (shape, shape) if random.random() < 0.3 else (pair[0], pair[1])


def _add_qs8(random: Random) -> Operation:
    a, b = _broadcast_shapes(random)
    qa, qb, qy = (_quantization(random) for _ in range(3))
    ma, mb = (int(v) for v in random.integers(1, 32768, 2))
    mb = -mb if random.random() < 0.3 else mb
    return Operation(
        {"a": _codes(random, *a), "b": _codes(random, *b)},
        (),
        {
            "a_multiplier": ma,
            "b_multiplier": mb,
            "bias": -(qa.zero_point * ma + qb.zero_point * mb),
            "multiplier": float(np.float32(random.uniform(0.3, 1.5) / max(ma, abs(mb)))),
        }
        | _range(random),
        S8,
        {"a": qa, "b": qb, "y": qy},
    )


def _mul_qs8(random: Random) -> Operation:
    a, b = _broadcast_shapes(random)
    attributes = {"multiplier": float(np.float32(random.uniform(0.001, 0.02)))} | _range(random)
    return Operation(
        {"a": _codes(random, *a), "b": _codes(random, *b)},
        (),
        attributes,
        S8,
        {name: _quantization(random) for name in ("a", "b", "y")},
    )


def _lut_x8(random: Random) -> Operation:
    x = _codes(random, *_picture(random))
    source, target = (S8 if random.random() < 0.5 else U8 for _ in range(2))
    table = random.integers(0, 256, 256).astype(np.uint8)
    return Operation({"x": x.view(source), "table": table}, ("table",), {}, target, {})


def _pool(random: Random, quantized: bool, kind: str) -> Operation:
    (kh, kw), geometry = _window(random, beyond=0 if random.random() < 0.7 else 4)
    attributes: dict[str, Any] = {"kernel_h": kh, "kernel_w": kw, **geometry}
    if kind == "average":
        attributes["count_include_pad"] = int(random.integers(0, 2))
    if kind == "average" and quantized:
        attributes |= {"multiplier": float(np.float32(random.uniform(0.5, 2)))} | _range(random)
    if kind == "indices":
        attributes["column_major"] = int(random.integers(0, 2))
    shape = _picture(random, 80)
    q = _quantization(random)
    qy = _quantization(random) if kind == "average" else q
    x = _codes(random, *shape) if quantized else _floats(random, *shape)
    dtype = S8 if quantized else F32
    quantizations = {"x": q, "y": qy} if quantized and kind != "indices" else {}
    return Operation({"x": x}, (), attributes, S64 if kind == "indices" else dtype, quantizations)


def _resize(random: Random, quantized: bool) -> Operation:
    shape = _picture(random)
    output = [int(random.integers(1, 24)) for _ in range(2)]
    attributes: dict[str, Any] = {
        "output_h": output[0],
        "output_w": output[1],
        "scale_h": float(np.float32(output[0] / shape[1])),
        "scale_w": float(np.float32(output[1] / shape[2])),
        "coordinate_mode": int(random.integers(0, 3)),
    }
    if quantized:
        attributes |= _range(random)
    x = _codes(random, *shape) if quantized else _floats(random, *shape)
    q = _quantization(random)
    qy = q if random.random() < 0.5 else _quantization(random)
    quantizations = {"x": q, "y": qy} if quantized else {}
    return Operation({"x": x}, (), attributes, S8 if quantized else F32, quantizations)


def _quantize(random: Random, dtype: np.dtype[Any]) -> Operation:
    x = _floats(random, *_picture(random))
    if dtype == S16:
        with np.errstate(all="ignore"):
            x *= np.float32(random.choice([1, 10000]))
    quantization = _quantization(random, dtype)
    return Operation({"x": x}, (), _range(random, dtype), dtype, {"y": quantization})


def _dequantize(random: Random, dtype: np.dtype[Any]) -> Operation:
    x = _codes(random, *_picture(random), dtype=dtype)
    return Operation({"x": x}, (), {}, F32, {"x": _quantization(random, dtype)})


def _requantize(random: Random) -> Operation:
    source, target = (S8 if random.random() < 0.3 else S16 for _ in range(2))
    x = _codes(random, *_picture(random), dtype=source)
    quantizations = {"x": _quantization(random, source), "y": _quantization(random, target)}
    return Operation({"x": x}, (), _range(random, target), target, quantizations)


def _integers(random: Random, *shape: int, dtype: np.dtype[Any] = S32) -> Array:
    """Small numbers, and numbers of all magnitudes."""
    x = random.integers(-(2**63), 2**63, shape) >> random.integers(0, 63, shape)
    small = random.integers(-4, 5, shape)
    return np.where(random.random(shape) < 0.5, x, small).astype(dtype)


def _binary_f32(random: Random) -> Operation:
    a, b = _broadcast_shapes(random)
    attributes = {"function": int(random.integers(len(FLOAT_FUNCTIONS)))}
    operands = {"a": _floats(random, *a), "b": _floats(random, *b)}
    if random.random() < 0.3:
        operands["b"] = random.integers(-4, 5, b).astype(np.float32)
    return Operation(operands, (), attributes, F32, {})


def _binary_integer(random: Random) -> Operation:
    a, b = _broadcast_shapes(random)
    dtype = (S8, U8, S16, S32, S64)[random.integers(5)]
    attributes = {"function": int(random.integers(len(INTEGER_FUNCTIONS)))}
    operands = {"a": _integers(random, *a, dtype=dtype), "b": _integers(random, *b, dtype=dtype)}
    return Operation(operands, (), attributes, dtype, {})


def _compare(random: Random) -> Operation:
    dtype = _dtype(random)
    attributes = {"function": int(random.integers(len(COMPARISONS)))}
    operands = {}
    for name, shape in zip("ab", _broadcast_shapes(random), strict=True):
        floats = dtype == F32
        x = _floats(random, *shape) if floats else _integers(random, *shape, dtype=dtype)
        operands[name] = np.round(x) if floats else x
    return Operation(operands, (), attributes, BOOL, {})


def _logic(random: Random) -> Operation:
    a, b = (_anything(random, *shape, dtype=BOOL) for shape in _broadcast_shapes(random))
    attributes = {"function": int(random.integers(len(LOGIC)))}
    return Operation({"a": a, "b": b}, (), attributes, BOOL, {})


def _where(random: Random) -> Operation:
    shape = tuple(int(v) for v in random.integers(1, 9, random.integers(0, 5)))
    parts = []
    for _ in range(3):
        kept = shape[random.integers(0, len(shape) + 1) :]
        parts.append(tuple(1 if random.random() < 0.25 else extent for extent in kept))
    dtype = _dtype(random)
    operands = {
        "condition": _anything(random, *parts[0], dtype=BOOL),
        "a": _anything(random, *parts[1], dtype=dtype),
        "b": _anything(random, *parts[2], dtype=dtype),
    }
    return Operation(operands, (), {}, dtype, {})


def _unary(random: Random) -> Operation:
    with np.errstate(over="ignore", invalid="ignore"):
        x = _floats(random, *_picture(random)) * np.float32(random.choice([1, 10]))
    alpha, beta = (float(np.float32(v)) for v in random.normal(0, 1, 2))
    attributes = {"function": int(random.integers(len(UNARY))), "alpha": alpha, "beta": beta}
    return Operation({"x": x}, (), attributes, F32, {})


def _softmax(random: Random) -> Operation:
    shape = (int(random.integers(1, 5)), int(random.integers(1, 70)))
    x = _floats(random, *shape)
    return Operation({"x": x}, (), {}, F32, {})


def _dtype(random: Random) -> np.dtype[Any]:
    return DTYPES[random.integers(len(DTYPES))]


def _anything(random: Random, *shape: int, dtype: np.dtype[Any] | None = None) -> Array:
    dtype = dtype or _dtype(random)
    if dtype == BOOL:
        return random.random(shape) < 0.5
    return random.integers(-(2**40), 2**40, shape).astype(dtype)


def _rank(random: Random, least: int = 1) -> tuple[int, ...]:
    return tuple(int(v) for v in random.integers(1, 8, random.integers(least, 6)))


def _concat(random: Random) -> Operation:
    shape = _rank(random)
    axis = int(random.integers(0, len(shape)))
    first = _anything(random, *shape)
    parts = {"x0": first}
    for i in range(1, int(random.integers(1, 5))):
        extents = list(shape)
        extents[axis] = int(random.integers(1, 6))
        parts[f"x{i}"] = _anything(random, *extents, dtype=first.dtype)
    return Operation(parts, (), {"axis": axis}, first.dtype, {})


def _slice(random: Random) -> Operation:
    x = _anything(random, *_rank(random))
    axis = int(random.integers(0, x.ndim))
    start, last = (int(v) for v in random.integers(0, x.shape[axis], 2))
    step = int(random.integers(1, 4)) * (1 if last >= start else -1)
    attributes = {"axis": axis, "start": start, "length": (last - start) // step + 1, "step": step}
    return Operation({"x": x}, (), attributes, x.dtype, {})


def _indices(random: Random, *shape: int) -> Array:
    """Some of them negative, some outside."""
    return random.integers(-9, 9, shape).astype(random.choice(["int32", "int64"]))


def _gather(random: Random) -> Operation:
    x = _anything(random, *_rank(random))
    indices = _indices(random, int(random.integers(1, 20)))
    if random.random() < 0.3:
        indices = np.sort(indices)
    operands = {"x": x, "indices": indices}
    return Operation(operands, (), {"axis": int(random.integers(0, x.ndim))}, x.dtype, {})


def _selection(random: Random, shape: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    """An axis, and the shape of indices that select along it."""
    axis = int(random.integers(0, len(shape)))
    extents = [int(random.integers(1, extent + 1)) for extent in shape]
    extents[axis] = int(random.integers(1, 9))
    return axis, tuple(extents)


def _gather_elements(random: Random) -> Operation:
    x = _anything(random, *_rank(random))
    axis, shape = _selection(random, x.shape)
    operands = {"x": x, "indices": _indices(random, *shape)}
    return Operation(operands, (), {"axis": axis}, x.dtype, {})


def _gather_nd(random: Random) -> Operation:
    x = _anything(random, *_rank(random))
    batch_dims = int(random.integers(0, x.ndim))
    depth = int(random.integers(1, x.ndim - batch_dims + 1))
    middle = _rank(random)[: 6 - x.ndim]
    operands = {"x": x, "indices": _indices(random, *x.shape[:batch_dims], *middle, depth)}
    return Operation(operands, (), {"batch_dims": batch_dims}, x.dtype, {})


def _scattered(random: Random) -> tuple[Array, int]:
    """An operand and a reduction that its dtype has."""
    shape = _rank(random)
    if random.random() < 0.3:
        return _floats(random, *shape), int(random.integers(0, 5))
    x = _anything(random, *shape)
    return x, 0 if x.dtype == BOOL else int(random.integers(0, 5))


def _updates(random: Random, x: Array, *shape: int) -> Array:
    if x.dtype == F32:
        return _floats(random, *shape)
    return _anything(random, *shape, dtype=x.dtype)


def _scatter_elements(random: Random) -> Operation:
    x, reduction = _scattered(random)
    axis, shape = _selection(random, x.shape)
    updates = _updates(random, x, *shape)
    operands = {"x": x, "indices": _indices(random, *shape), "updates": updates}
    return Operation(operands, (), {"axis": axis, "reduction": reduction}, x.dtype, {})


def _scatter_nd(random: Random) -> Operation:
    x, reduction = _scattered(random)
    depth = int(random.integers(1, x.ndim + 1))
    rows = _rank(random)[: 6 - x.ndim + depth]
    indices = _indices(random, *rows, depth)
    updates = _updates(random, x, *rows, *x.shape[depth:])
    operands = {"x": x, "indices": indices, "updates": updates}
    return Operation(operands, (), {"reduction": reduction}, x.dtype, {})


def _expand(random: Random) -> Operation:
    shape = _rank(random)
    narrow = [1 if random.random() < 0.5 else extent for extent in shape]
    x = _anything(random, *narrow[int(random.integers(0, len(shape))) :])
    wide = [int(random.integers(1, 9)) if n == 1 else n for n in narrow]
    return Operation({"x": x}, (), {}, x.dtype, {}, tuple(wide))


def _pad(random: Random) -> Operation:
    x = _anything(random, *_rank(random))
    amounts = {f"{side}{i}": 0 for side in ("before", "after") for i in range(6)}
    for i in range(x.ndim):
        for side in ("before", "after"):
            if random.random() < 0.4:
                amounts[f"{side}{i}"] = int(random.integers(0, 4))
    value = _anything(random, dtype=x.dtype)
    return Operation({"x": x, "value": np.asarray(value)}, ("value",), amounts, x.dtype, {})


def _cumulative_sum(random: Random) -> Operation:
    shape = _rank(random)
    kind = random.integers(3)
    x = (
        _floats(random, *shape)
        if kind == 0
        else _anything(random, *shape, dtype=(S32, S64)[kind - 1])
    )
    flags = {name: int(random.integers(2)) for name in ("exclusive", "reverse")}
    return Operation({"x": x}, (), {"axis": int(random.integers(x.ndim)), **flags}, x.dtype, {})


def _axes(random: Random, x: Array) -> int:
    return int(random.integers(1, 2**x.ndim))


def _reduce_f32(random: Random) -> Operation:
    x = _floats(random, *_rank(random), int(random.integers(1, 80)))
    x = x.swapaxes(int(random.integers(0, x.ndim)), -1)
    attributes = {"function": int(random.integers(0, 8)), "axes": _axes(random, x)}
    return Operation({"x": np.ascontiguousarray(x)}, (), attributes, F32, {})


def _reduce_integer(random: Random) -> Operation:
    x = _anything(random, *_rank(random), dtype=DTYPES[random.integers(1, len(DTYPES))])
    functions = (3, 4) if x.dtype == BOOL else (0, 1, 2, 3, 4, 5, 7)
    attributes = {"function": int(random.choice(functions)), "axes": _axes(random, x)}
    return Operation({"x": x}, (), attributes, x.dtype, {})


def _resample(random: Random) -> Operation:
    x = _floats(random, *_rank(random))
    axis = int(random.integers(0, x.ndim))
    table = (int(random.integers(1, 12)), int(random.integers(1, 6)))
    k = random.integers(0, x.shape[axis], table).astype(np.int32)
    w = random.standard_normal(table).astype(np.float32)
    return Operation({"x": x, "k": k, "w": w}, ("k", "w"), {"axis": axis}, F32, {})


def _with_ties(random: Random, x: Array) -> Array:
    return np.repeat(x, 2, axis=0) if random.random() < 0.5 else x


def _argmax(random: Random) -> Operation:
    kind = random.integers(3)
    x = _with_ties(random, (_codes, _floats, _integers)[kind](random, *_rank(random)))
    names = ("keepdims", "select_last_index", "smallest")
    attributes = {name: int(random.integers(2)) for name in names}
    attributes["axis"] = int(random.integers(0, x.ndim))
    return Operation({"x": x}, (), attributes, S32 if random.random() < 0.5 else S64, {})


def _topk(random: Random) -> Operation:
    shape = _rank(random)
    x = _floats(random, *shape) if random.random() < 0.5 else _anything(random, *shape)
    x = _with_ties(random, x)
    axis = int(random.integers(0, x.ndim))
    k = int(random.integers(1, x.shape[axis] + 1))
    attributes = {"axis": axis, "k": k, "largest": int(random.integers(2))}
    return Operation({"x": x}, (), attributes, S64, {})


def _cast(random: Random) -> Operation:
    shape = _rank(random)
    x = _floats(random, *shape) if random.random() < 0.5 else _anything(random, *shape)
    return Operation({"x": x}, (), {}, _dtype(random), {})


def _reshape(random: Random) -> Operation:
    x = _anything(random, *_rank(random))
    shape = (x.size,) if random.random() < 0.5 else (1, *x.shape[::-1])
    return Operation({"x": x}, (), {}, x.dtype, {}, shape)


def _narrow(random: Random) -> Operation:
    x = _anything(random, *_rank(random)[:5], 4)
    axis = int(random.integers(x.ndim))
    length = np.array([random.integers(-2, x.shape[axis] + 3)])
    return Operation({"x": x, "length": length}, (), {"axis": axis}, x.dtype, {})


def _nms(random: Random) -> Operation:
    batch, classes, n = (int(v) for v in random.integers(1, (3, 4, 40)))
    # Boxes on a grid, so that some are equal, touch or have no area; scores with ties.
    boxes = random.integers(0, 6, (batch, n, 4)).astype(np.float32)
    scores = random.integers(-3, 9, (batch, classes, n)).astype(np.float32)
    if random.random() < 0.3:
        boxes, scores = _floats(random, *boxes.shape), _floats(random, *scores.shape)
    attributes = {
        "most": int(random.integers(1, 12)),
        "center_point_box": int(random.integers(2)),
        "iou_threshold": float(np.float32(random.random())),
        "score_threshold": float(random.integers(-4, 3)),
    }
    return Operation({"boxes": boxes, "scores": scores}, (), attributes, S64, {})


def _nonzero(random: Random) -> Operation:
    x = _anything(random, *_rank(random)[:5], 3)
    x = np.where(random.random(x.shape) < 0.5, np.zeros_like(x), x)
    return Operation({"x": x}, (), {}, S64, {})


def _shape(random: Random) -> Operation:
    return Operation({"x": _anything(random, *_rank(random)[:5], 2)}, (), {}, S64, {})


def _transpose(random: Random) -> Operation:
    x = _anything(random, *_rank(random))
    perm = [int(v) for v in random.permutation(x.ndim)] + [0] * (6 - x.ndim)
    return Operation({"x": x}, (), {f"perm{i}": p for i, p in enumerate(perm)}, x.dtype, {})


_MAKERS: dict[str, Callable[[Random], Operation]] = {
    **{f"{kind}_qs8": partial(_conv_qs8, kind=kind) for kind in CONVOLUTIONS},
    **{f"{kind}_qs8_f32": partial(_conv_qs8_f32, kind=kind) for kind in CONVOLUTIONS[:3]},
    **{f"{kind}_qs16": partial(_conv_qs16, kind=kind) for kind in CONVOLUTIONS[:2]},
    **{f"{kind}_f32": partial(_conv_f32, kind=kind) for kind in CONVOLUTIONS},
    "conv2d_s32": _conv_s32,
    "matmul_f32": lambda r: _matmul(r, F32),
    "matmul_qs8": lambda r: _matmul(r, S8),
    "matmul_s32": lambda r: _matmul(r, S32),
    "add_qs8": _add_qs8,
    "mul_qs8": _mul_qs8,
    "lut_x8": _lut_x8,
    "maxpool2d_s8": lambda r: _pool(r, True, "maximum"),
    "maxpool2d_f32": lambda r: _pool(r, False, "maximum"),
    "maxpool2d_indices": lambda r: _pool(r, r.random() < 0.5, "indices"),
    "avgpool2d_qs8": lambda r: _pool(r, True, "average"),
    "avgpool2d_f32": lambda r: _pool(r, False, "average"),
    "resize2d_qs8": lambda r: _resize(r, quantized=True),
    "resize2d_f32": lambda r: _resize(r, quantized=False),
    "quantize_f32_qs8": lambda r: _quantize(r, S8),
    "dequantize_qs8_f32": lambda r: _dequantize(r, S8),
    "quantize_f32_qs16": lambda r: _quantize(r, S16),
    "dequantize_qs16_f32": lambda r: _dequantize(r, S16),
    "requantize": _requantize,
    "binary_f32": _binary_f32,
    "binary_integer": _binary_integer,
    "compare": _compare,
    "logic": _logic,
    "where": _where,
    "unary_f32": _unary,
    "softmax_f32": _softmax,
    "concat": _concat,
    "slice": _slice,
    "gather": _gather,
    "gather_elements": _gather_elements,
    "gather_nd": _gather_nd,
    "scatter_elements": _scatter_elements,
    "scatter_nd": _scatter_nd,
    "expand": _expand,
    "pad": _pad,
    "cumulative_sum": _cumulative_sum,
    "reduce_f32": _reduce_f32,
    "reduce_integer": _reduce_integer,
    "resample_f32": _resample,
    "argmax": _argmax,
    "topk": _topk,
    "cast": _cast,
    "narrow": _narrow,
    "nms": _nms,
    "nonzero": _nonzero,
    "reshape": _reshape,
    "shape": _shape,
    "transpose": _transpose,
}
