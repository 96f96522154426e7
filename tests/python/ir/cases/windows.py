# SPDX-License-Identifier: Apache-2.0
"""Operators whose windows slide over pictures."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from bitpose.ir.graph import Quantization

from .operation import (
    F32,
    S8,
    S16,
    S32,
    S64,
    Array,
    Operation,
    Random,
    draw_codes,
    draw_floats,
    draw_integers,
    draw_picture,
    draw_quantization,
    draw_range,
    draw_real_range,
)

CONVOLUTIONS = ("conv2d", "dwconv2d", "deconv2d", "dwdeconv2d")


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
    shape = draw_picture(random)
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
            "x": draw_codes(random, *shape),
            "weights": draw_codes(random, *extents),
            "bias": random.integers(-20000, 20000, outputs).astype(np.int32),
            "multiplier": _multipliers(random, outputs, max(1, int(np.prod(extents)) // outputs)),
        },
        ("weights", "bias", "multiplier"),
        geometry | draw_range(random),
        S8,
        {
            "x": draw_quantization(random),
            "weights": Quantization(1.0, weight_zero_point),
            "y": draw_quantization(random),
        },
    )


def _conv_qs8_f32(random: Random, kind: str) -> Operation:
    codes = _conv_qs8(random, kind)
    attributes = {k: v for k, v in codes.attributes.items() if k not in ("qmin", "qmax")}
    notes = {name: codes.quantizations[name] for name in ("x", "weights")}
    return Operation(codes.operands, codes.fixed, attributes | draw_real_range(random), F32, notes)


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
            "x": draw_codes(random, *shape, dtype=S16),
            "weights": draw_codes(random, *extents),
            "bias": random.integers(-most, most + 1, outputs).astype(np.int32),
            "multiplier": _multipliers(random, outputs, terms) / np.float32(steps),
        },
        ("weights", "bias", "multiplier"),
        geometry | draw_range(random, dtype),
        dtype,
        {
            "x": Quantization(0.25, 0),
            "weights": Quantization(1.0, 0),
            "y": draw_quantization(random, dtype),
        },
    )


def _conv_f32(random: Random, kind: str) -> Operation:
    shape, extents, outputs, geometry = _layer(random, kind)
    weights = np.nan_to_num(draw_floats(random, *extents), posinf=1, neginf=-1)
    if random.random() < 0.3:
        with np.errstate(over="ignore"):
            weights = np.nan_to_num(weights.astype(np.float16), posinf=1, neginf=-1)
    return Operation(
        {
            "x": draw_floats(random, *shape),
            "weights": weights,
            "bias": np.nan_to_num(draw_floats(random, outputs), posinf=1, neginf=-1),
        },
        ("weights", "bias"),
        geometry | draw_real_range(random),
        F32,
        {},
    )


def _conv_s32(random: Random) -> Operation:
    shape, extents, _, geometry = _layer(random, "conv2d")
    x, weights = draw_integers(random, *shape), draw_integers(random, *extents)
    return Operation({"x": x, "weights": weights}, (), geometry, S32, {})


def _pool(random: Random, quantized: bool, kind: str) -> Operation:
    (kh, kw), geometry = _window(random, beyond=0 if random.random() < 0.7 else 4)
    attributes: dict[str, Any] = {"kernel_h": kh, "kernel_w": kw, **geometry}
    if kind == "average":
        attributes["count_include_pad"] = int(random.integers(0, 2))
    if kind == "average" and quantized:
        attributes |= {"multiplier": float(np.float32(random.uniform(0.5, 2)))} | draw_range(random)
    if kind == "indices":
        attributes["column_major"] = int(random.integers(0, 2))
    shape = draw_picture(random, 80)
    q = draw_quantization(random)
    qy = draw_quantization(random) if kind == "average" else q
    x = draw_codes(random, *shape) if quantized else draw_floats(random, *shape)
    dtype = S8 if quantized else F32
    quantizations = {"x": q, "y": qy} if quantized and kind != "indices" else {}
    return Operation({"x": x}, (), attributes, S64 if kind == "indices" else dtype, quantizations)


def _resize(random: Random, quantized: bool) -> Operation:
    shape = draw_picture(random)
    output = [int(random.integers(1, 24)) for _ in range(2)]
    attributes: dict[str, Any] = {
        "output_h": output[0],
        "output_w": output[1],
        "scale_h": float(np.float32(output[0] / shape[1])),
        "scale_w": float(np.float32(output[1] / shape[2])),
        "coordinate_mode": int(random.integers(0, 3)),
    }
    if quantized:
        attributes |= draw_range(random)
    x = draw_codes(random, *shape) if quantized else draw_floats(random, *shape)
    q = draw_quantization(random)
    qy = q if random.random() < 0.5 else draw_quantization(random)
    quantizations = {"x": q, "y": qy} if quantized else {}
    return Operation({"x": x}, (), attributes, S8 if quantized else F32, quantizations)


MAKERS: dict[str, Callable[[Random], Operation]] = {
    **{f"{kind}_qs8": partial(_conv_qs8, kind=kind) for kind in CONVOLUTIONS},
    **{f"{kind}_qs8_f32": partial(_conv_qs8_f32, kind=kind) for kind in CONVOLUTIONS[:3]},
    **{f"{kind}_qs16": partial(_conv_qs16, kind=kind) for kind in CONVOLUTIONS[:2]},
    **{f"{kind}_f32": partial(_conv_f32, kind=kind) for kind in CONVOLUTIONS},
    "conv2d_s32": _conv_s32,
    "maxpool2d_s8": lambda r: _pool(r, True, "maximum"),
    "maxpool2d_f32": lambda r: _pool(r, False, "maximum"),
    "maxpool2d_indices": lambda r: _pool(r, r.random() < 0.5, "indices"),
    "avgpool2d_qs8": lambda r: _pool(r, True, "average"),
    "avgpool2d_f32": lambda r: _pool(r, False, "average"),
    "resize2d_qs8": lambda r: _resize(r, quantized=True),
    "resize2d_f32": lambda r: _resize(r, quantized=False),
}
