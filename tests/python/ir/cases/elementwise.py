# SPDX-License-Identifier: Apache-2.0
"""Operators on elements, and products of matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bitpose.ir.operators import COMPARISONS, FLOAT_FUNCTIONS, INTEGER_FUNCTIONS, LOGIC, UNARY

from .operation import (
    BOOL,
    F32,
    S8,
    S16,
    S32,
    S64,
    U8,
    Operation,
    Random,
    draw_any,
    draw_codes,
    draw_dtype,
    draw_floats,
    draw_integers,
    draw_picture,
    draw_quantization,
    draw_range,
    draw_shape,
)


def _matmul(random: Random, dtype: np.dtype[Any]) -> Operation:
    a_batch, b_batch = _broadcast_shapes(random)
    m, k, n = (int(v) for v in random.integers(1, 40, 3))
    transposed = int(random.integers(0, 2))
    make = {F32: draw_floats, S8: draw_codes, S32: draw_integers}[dtype]
    a = make(random, *a_batch[-2:], m, k)
    b = make(random, *b_batch[-2:], *((n, k) if transposed else (k, n)))
    attributes: dict[str, Any] = {"transpose_b": transposed}
    if dtype == S8:
        scale = (
            np.float32(random.uniform(0.001, 0.02)) if random.random() < 0.9 else np.float32(9e5)
        )
        attributes |= {"multiplier": float(scale)} | draw_range(random)
    names = ("a", "b", "y") if dtype == S8 else ()
    quantizations = {name: draw_quantization(random) for name in names}
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
    qa, qb, qy = (draw_quantization(random) for _ in range(3))
    ma, mb = (int(v) for v in random.integers(1, 32768, 2))
    mb = -mb if random.random() < 0.3 else mb
    return Operation(
        {"a": draw_codes(random, *a), "b": draw_codes(random, *b)},
        (),
        {
            "a_multiplier": ma,
            "b_multiplier": mb,
            "bias": -(qa.zero_point * ma + qb.zero_point * mb),
            "multiplier": float(np.float32(random.uniform(0.3, 1.5) / max(ma, abs(mb)))),
        }
        | draw_range(random),
        S8,
        {"a": qa, "b": qb, "y": qy},
    )


def _mul_qs8(random: Random) -> Operation:
    a, b = _broadcast_shapes(random)
    attributes = {"multiplier": float(np.float32(random.uniform(0.001, 0.02)))} | draw_range(random)
    return Operation(
        {"a": draw_codes(random, *a), "b": draw_codes(random, *b)},
        (),
        attributes,
        S8,
        {name: draw_quantization(random) for name in ("a", "b", "y")},
    )


def _lut_x8(random: Random) -> Operation:
    x = draw_codes(random, *draw_picture(random))
    source, target = (S8 if random.random() < 0.5 else U8 for _ in range(2))
    table = random.integers(0, 256, 256).astype(np.uint8)
    return Operation({"x": x.view(source), "table": table}, ("table",), {}, target, {})


def _quantize(random: Random, dtype: np.dtype[Any]) -> Operation:
    x = draw_floats(random, *draw_picture(random))
    if dtype == S16:
        with np.errstate(all="ignore"):
            x *= np.float32(random.choice([1, 10000]))
    quantization = draw_quantization(random, dtype)
    return Operation({"x": x}, (), draw_range(random, dtype), dtype, {"y": quantization})


def _dequantize(random: Random, dtype: np.dtype[Any]) -> Operation:
    x = draw_codes(random, *draw_picture(random), dtype=dtype)
    return Operation({"x": x}, (), {}, F32, {"x": draw_quantization(random, dtype)})


def _requantize(random: Random) -> Operation:
    source, target = (S8 if random.random() < 0.3 else S16 for _ in range(2))
    x = draw_codes(random, *draw_picture(random), dtype=source)
    quantizations = {"x": draw_quantization(random, source), "y": draw_quantization(random, target)}
    return Operation({"x": x}, (), draw_range(random, target), target, quantizations)


def _binary_f32(random: Random) -> Operation:
    a, b = _broadcast_shapes(random)
    attributes = {"function": int(random.integers(len(FLOAT_FUNCTIONS)))}
    operands = {"a": draw_floats(random, *a), "b": draw_floats(random, *b)}
    if random.random() < 0.3:
        operands["b"] = random.integers(-4, 5, b).astype(np.float32)
    return Operation(operands, (), attributes, F32, {})


def _binary_integer(random: Random) -> Operation:
    a, b = _broadcast_shapes(random)
    dtype = (S8, U8, S16, S32, S64)[random.integers(5)]
    attributes = {"function": int(random.integers(len(INTEGER_FUNCTIONS)))}
    operands = {
        "a": draw_integers(random, *a, dtype=dtype),
        "b": draw_integers(random, *b, dtype=dtype),
    }
    return Operation(operands, (), attributes, dtype, {})


def _compare(random: Random) -> Operation:
    dtype = draw_dtype(random)
    attributes = {"function": int(random.integers(len(COMPARISONS)))}
    operands = {}
    for name, shape in zip("ab", _broadcast_shapes(random), strict=True):
        floats = dtype == F32
        x = draw_floats(random, *shape) if floats else draw_integers(random, *shape, dtype=dtype)
        operands[name] = np.round(x) if floats else x
    return Operation(operands, (), attributes, BOOL, {})


def _logic(random: Random) -> Operation:
    a, b = (draw_any(random, *shape, dtype=BOOL) for shape in _broadcast_shapes(random))
    attributes = {"function": int(random.integers(len(LOGIC)))}
    return Operation({"a": a, "b": b}, (), attributes, BOOL, {})


def _where(random: Random) -> Operation:
    shape = tuple(int(v) for v in random.integers(1, 9, random.integers(0, 5)))
    parts = []
    for _ in range(3):
        kept = shape[random.integers(0, len(shape) + 1) :]
        parts.append(tuple(1 if random.random() < 0.25 else extent for extent in kept))
    dtype = draw_dtype(random)
    operands = {
        "condition": draw_any(random, *parts[0], dtype=BOOL),
        "a": draw_any(random, *parts[1], dtype=dtype),
        "b": draw_any(random, *parts[2], dtype=dtype),
    }
    return Operation(operands, (), {}, dtype, {})


def _unary(random: Random) -> Operation:
    with np.errstate(over="ignore", invalid="ignore"):
        x = draw_floats(random, *draw_picture(random)) * np.float32(random.choice([1, 10]))
    alpha, beta = (float(np.float32(v)) for v in random.normal(0, 1, 2))
    attributes = {"function": int(random.integers(len(UNARY))), "alpha": alpha, "beta": beta}
    return Operation({"x": x}, (), attributes, F32, {})


def _softmax(random: Random) -> Operation:
    shape = (int(random.integers(1, 5)), int(random.integers(1, 70)))
    x = draw_floats(random, *shape)
    return Operation({"x": x}, (), {}, F32, {})


def _cast(random: Random) -> Operation:
    shape = draw_shape(random)
    x = draw_floats(random, *shape) if random.random() < 0.5 else draw_any(random, *shape)
    return Operation({"x": x}, (), {}, draw_dtype(random), {})


def _narrow(random: Random) -> Operation:
    x = draw_any(random, *draw_shape(random)[:5], 4)
    axis = int(random.integers(x.ndim))
    length = np.array([random.integers(-2, x.shape[axis] + 3)])
    return Operation({"x": x, "length": length}, (), {"axis": axis}, x.dtype, {})


MAKERS: dict[str, Callable[[Random], Operation]] = {
    "matmul_f32": lambda r: _matmul(r, F32),
    "matmul_qs8": lambda r: _matmul(r, S8),
    "matmul_s32": lambda r: _matmul(r, S32),
    "add_qs8": _add_qs8,
    "mul_qs8": _mul_qs8,
    "lut_x8": _lut_x8,
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
    "cast": _cast,
    "narrow": _narrow,
}
