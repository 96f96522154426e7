# SPDX-License-Identifier: Apache-2.0
"""Operators that move, choose, reduce and count elements."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .operation import (
    BOOL,
    DTYPES,
    F32,
    S32,
    S64,
    Array,
    Operation,
    Random,
    draw_any,
    draw_codes,
    draw_floats,
    draw_integers,
    draw_shape,
)


def _concat(random: Random) -> Operation:
    shape = draw_shape(random)
    axis = int(random.integers(0, len(shape)))
    first = draw_any(random, *shape)
    parts = {"x0": first}
    for i in range(1, int(random.integers(1, 5))):
        extents = list(shape)
        extents[axis] = int(random.integers(1, 6))
        parts[f"x{i}"] = draw_any(random, *extents, dtype=first.dtype)
    return Operation(parts, (), {"axis": axis}, first.dtype, {})


def _slice(random: Random) -> Operation:
    x = draw_any(random, *draw_shape(random))
    axis = int(random.integers(0, x.ndim))
    start, last = (int(v) for v in random.integers(0, x.shape[axis], 2))
    step = int(random.integers(1, 4)) * (1 if last >= start else -1)
    attributes = {"axis": axis, "start": start, "length": (last - start) // step + 1, "step": step}
    return Operation({"x": x}, (), attributes, x.dtype, {})


def _indices(random: Random, *shape: int) -> Array:
    """Some of them negative, some outside."""
    return random.integers(-9, 9, shape).astype(random.choice(["int32", "int64"]))


def _gather(random: Random) -> Operation:
    x = draw_any(random, *draw_shape(random))
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
    x = draw_any(random, *draw_shape(random))
    axis, shape = _selection(random, x.shape)
    operands = {"x": x, "indices": _indices(random, *shape)}
    return Operation(operands, (), {"axis": axis}, x.dtype, {})


def _gather_nd(random: Random) -> Operation:
    x = draw_any(random, *draw_shape(random))
    batch_dims = int(random.integers(0, x.ndim))
    depth = int(random.integers(1, x.ndim - batch_dims + 1))
    middle = draw_shape(random)[: 6 - x.ndim]
    operands = {"x": x, "indices": _indices(random, *x.shape[:batch_dims], *middle, depth)}
    return Operation(operands, (), {"batch_dims": batch_dims}, x.dtype, {})


def _scattered(random: Random) -> tuple[Array, int]:
    """An operand and a reduction that its dtype has."""
    shape = draw_shape(random)
    if random.random() < 0.3:
        return draw_floats(random, *shape), int(random.integers(0, 5))
    x = draw_any(random, *shape)
    return x, 0 if x.dtype == BOOL else int(random.integers(0, 5))


def _updates(random: Random, x: Array, *shape: int) -> Array:
    if x.dtype == F32:
        return draw_floats(random, *shape)
    return draw_any(random, *shape, dtype=x.dtype)


def _scatter_elements(random: Random) -> Operation:
    x, reduction = _scattered(random)
    axis, shape = _selection(random, x.shape)
    updates = _updates(random, x, *shape)
    operands = {"x": x, "indices": _indices(random, *shape), "updates": updates}
    return Operation(operands, (), {"axis": axis, "reduction": reduction}, x.dtype, {})


def _scatter_nd(random: Random) -> Operation:
    x, reduction = _scattered(random)
    depth = int(random.integers(1, x.ndim + 1))
    rows = draw_shape(random)[: 6 - x.ndim + depth]
    indices = _indices(random, *rows, depth)
    updates = _updates(random, x, *rows, *x.shape[depth:])
    operands = {"x": x, "indices": indices, "updates": updates}
    return Operation(operands, (), {"reduction": reduction}, x.dtype, {})


def _expand(random: Random) -> Operation:
    shape = draw_shape(random)
    narrow = [1 if random.random() < 0.5 else extent for extent in shape]
    x = draw_any(random, *narrow[int(random.integers(0, len(shape))) :])
    wide = [int(random.integers(1, 9)) if n == 1 else n for n in narrow]
    return Operation({"x": x}, (), {}, x.dtype, {}, tuple(wide))


def _pad(random: Random) -> Operation:
    x = draw_any(random, *draw_shape(random))
    amounts = {f"{side}{i}": 0 for side in ("before", "after") for i in range(6)}
    for i in range(x.ndim):
        for side in ("before", "after"):
            if random.random() < 0.4:
                amounts[f"{side}{i}"] = int(random.integers(0, 4))
    value = draw_any(random, dtype=x.dtype)
    return Operation({"x": x, "value": np.asarray(value)}, ("value",), amounts, x.dtype, {})


def _cumulative_sum(random: Random) -> Operation:
    shape = draw_shape(random)
    kind = random.integers(3)
    x = (
        draw_floats(random, *shape)
        if kind == 0
        else draw_any(random, *shape, dtype=(S32, S64)[kind - 1])
    )
    flags = {name: int(random.integers(2)) for name in ("exclusive", "reverse")}
    return Operation({"x": x}, (), {"axis": int(random.integers(x.ndim)), **flags}, x.dtype, {})


def _axes(random: Random, x: Array) -> int:
    return int(random.integers(1, 2**x.ndim))


def _reduce_f32(random: Random) -> Operation:
    x = draw_floats(random, *draw_shape(random), int(random.integers(1, 80)))
    x = x.swapaxes(int(random.integers(0, x.ndim)), -1)
    attributes = {"function": int(random.integers(0, 8)), "axes": _axes(random, x)}
    return Operation({"x": np.ascontiguousarray(x)}, (), attributes, F32, {})


def _reduce_integer(random: Random) -> Operation:
    x = draw_any(random, *draw_shape(random), dtype=DTYPES[random.integers(1, len(DTYPES))])
    functions = (3, 4) if x.dtype == BOOL else (0, 1, 2, 3, 4, 5, 7)
    attributes = {"function": int(random.choice(functions)), "axes": _axes(random, x)}
    return Operation({"x": x}, (), attributes, x.dtype, {})


def _resample(random: Random) -> Operation:
    x = draw_floats(random, *draw_shape(random))
    axis = int(random.integers(0, x.ndim))
    table = (int(random.integers(1, 12)), int(random.integers(1, 6)))
    k = random.integers(0, x.shape[axis], table).astype(np.int32)
    w = random.standard_normal(table).astype(np.float32)
    return Operation({"x": x, "k": k, "w": w}, ("k", "w"), {"axis": axis}, F32, {})


def _with_ties(random: Random, x: Array) -> Array:
    return np.repeat(x, 2, axis=0) if random.random() < 0.5 else x


def _argmax(random: Random) -> Operation:
    kind = random.integers(3)
    x = _with_ties(
        random, (draw_codes, draw_floats, draw_integers)[kind](random, *draw_shape(random))
    )
    names = ("keepdims", "select_last_index", "smallest")
    attributes = {name: int(random.integers(2)) for name in names}
    attributes["axis"] = int(random.integers(0, x.ndim))
    return Operation({"x": x}, (), attributes, S32 if random.random() < 0.5 else S64, {})


def _topk(random: Random) -> Operation:
    shape = draw_shape(random)
    x = draw_floats(random, *shape) if random.random() < 0.5 else draw_any(random, *shape)
    x = _with_ties(random, x)
    axis = int(random.integers(0, x.ndim))
    k = int(random.integers(1, x.shape[axis] + 1))
    attributes = {"axis": axis, "k": k, "largest": int(random.integers(2))}
    return Operation({"x": x}, (), attributes, S64, {})


def _reshape(random: Random) -> Operation:
    x = draw_any(random, *draw_shape(random))
    shape = (x.size,) if random.random() < 0.5 else (1, *x.shape[::-1])
    return Operation({"x": x}, (), {}, x.dtype, {}, shape)


def _nms(random: Random) -> Operation:
    batch, classes, n = (int(v) for v in random.integers(1, (3, 4, 40)))
    # Boxes on a grid, so that some are equal, touch or have no area; scores with ties.
    boxes = random.integers(0, 6, (batch, n, 4)).astype(np.float32)
    scores = random.integers(-3, 9, (batch, classes, n)).astype(np.float32)
    if random.random() < 0.3:
        boxes, scores = draw_floats(random, *boxes.shape), draw_floats(random, *scores.shape)
    attributes = {
        "most": int(random.integers(1, 12)),
        "center_point_box": int(random.integers(2)),
        "iou_threshold": float(np.float32(random.random())),
        "score_threshold": float(random.integers(-4, 3)),
    }
    return Operation({"boxes": boxes, "scores": scores}, (), attributes, S64, {})


def _nonzero(random: Random) -> Operation:
    x = draw_any(random, *draw_shape(random)[:5], 3)
    x = np.where(random.random(x.shape) < 0.5, np.zeros_like(x), x)
    return Operation({"x": x}, (), {}, S64, {})


def _shape(random: Random) -> Operation:
    return Operation({"x": draw_any(random, *draw_shape(random)[:5], 2)}, (), {}, S64, {})


def _transpose(random: Random) -> Operation:
    x = draw_any(random, *draw_shape(random))
    perm = [int(v) for v in random.permutation(x.ndim)] + [0] * (6 - x.ndim)
    return Operation({"x": x}, (), {f"perm{i}": p for i, p in enumerate(perm)}, x.dtype, {})


MAKERS: dict[str, Callable[[Random], Operation]] = {
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
    "nms": _nms,
    "nonzero": _nonzero,
    "reshape": _reshape,
    "shape": _shape,
    "transpose": _transpose,
}
