# SPDX-License-Identifier: Apache-2.0
"""Resizing of pictures."""

from __future__ import annotations

import numpy as np

from bitpose.ir.graph import Tensor
from bitpose.ir.operators import COORDINATE_MODES
from bitpose.onnx.builder import Builder, Ints
from bitpose.onnx.ops import windows
from bitpose.onnx.registry import onnx_operator


def _resize(
    b: Builder, x: Tensor, scales: list[float], extents: list[int], mode: str, coordinates: str
) -> Tensor:
    """`scales` and `extents` have one entry per axis."""
    windows.picture(b, x)
    if mode != "linear":
        b.refuse(f"mode is {mode!r}", "linear")
    b.require_dtype(x, "the operand", "float32")
    if len(extents) != 4 or extents[:2] != list(x.shape[:2]):
        b.refuse(f"{list(x.shape)} becomes {extents}", "height and width alone")
    if coordinates == "pytorch_half_pixel" and min(extents[2:]) > 1:
        coordinates = "half_pixel"
    if coordinates not in COORDINATE_MODES:
        b.refuse(f"coordinate_transformation_mode is {coordinates!r}", ", ".join(COORDINATE_MODES))
    return b.emit("Resize", [x], extents, scales=tuple(scales[2:]), coordinate_mode=coordinates)


def _scaled(b: Builder, x: Tensor, scales: Tensor) -> tuple[list[float], list[int]]:
    factors = b.value(scales, "scales").astype(np.float32)
    if factors.shape != (len(x.shape),):
        b.invalid(f"scales of shape {list(factors.shape)} for {list(x.shape)}")
    if not np.all((factors > 0) & (factors < 2**20)):
        b.invalid(f"scales are {factors.tolist()}")
    extents = np.floor(np.array(x.shape, np.float32) * factors)
    return [float(v) for v in factors], [int(v) for v in extents]


def _sized(b: Builder, x: Tensor, sizes: Tensor) -> tuple[list[float], list[int]]:
    extents = list(b.ints(sizes, "sizes"))
    if len(extents) != len(x.shape):
        b.invalid(f"sizes {extents} for {list(x.shape)}")
    factors = np.array(extents, np.float32) / np.array(x.shape, np.float32)
    return [float(v) for v in factors], extents


@onnx_operator(10, 10)
def Resize_10(b: Builder, x: Tensor, scales: Tensor, *, mode: str = "nearest") -> Tensor:
    """Linear, height and width, constant scales."""
    return _resize(b, x, *_scaled(b, x, scales), mode, "asymmetric")


@onnx_operator(11)
def Resize_11(
    b: Builder,
    x: Tensor,
    roi: Tensor | None = None,
    scales: Tensor | None = None,
    sizes: Tensor | None = None,
    *,
    antialias: int = 0,
    axes: Ints | None = None,
    coordinate_transformation_mode: str = "half_pixel",
    cubic_coeff_a: float = -0.75,
    exclude_outside: int = 0,
    extrapolation_value: float = 0.0,
    keep_aspect_ratio_policy: str = "stretch",
    mode: str = "nearest",
    nearest_mode: str = "round_prefer_floor",
) -> Tensor:
    """Linear, height and width, constant scales or sizes; half_pixel, asymmetric, align_corners."""
    if antialias or exclude_outside:
        b.refuse("antialias or exclude_outside is set", "neither")
    if axes is not None:
        b.refuse(f"axes are {axes}", "scales or sizes for all axes")
    if keep_aspect_ratio_policy != "stretch":
        b.refuse(f"keep_aspect_ratio_policy is {keep_aspect_ratio_policy!r}", "stretch")
    if scales is not None and scales.elements:
        scaled = _scaled(b, x, scales)
    elif sizes is not None and sizes.elements:
        scaled = _sized(b, x, sizes)
    else:
        b.invalid("has neither scales nor sizes")
    return _resize(b, x, *scaled, mode, coordinate_transformation_mode)
