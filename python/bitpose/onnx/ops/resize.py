# SPDX-License-Identifier: Apache-2.0
"""Resizing along any axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from bitpose.ir.graph import Tensor
from bitpose.ir.operators import COORDINATE_MODES
from bitpose.onnx.builder import Builder, Floats, Ints
from bitpose.onnx.ops import resampling
from bitpose.onnx.ops.gather import gather
from bitpose.onnx.ops.pad import padded
from bitpose.onnx.registry import onnx_operator

T = TypeVar("T", int, float)


@dataclass(frozen=True)
class _Method:
    """The attributes of a Resize."""

    mode: str
    coordinates: str
    rounding: str = "floor"
    antialias: bool = False
    exclude_outside: bool = False
    cubic_coeff_a: float = -0.75
    extrapolation_value: float = 0.0

    @property
    def kernel(self) -> resampling.Filter:
        if self.mode == "linear":
            return resampling.linear()
        return resampling.cubic(self.cubic_coeff_a)


def _resize(b: Builder, x: Tensor, axes: Sequence[resampling.Axis], method: _Method) -> Tensor:
    """`axes` has one entry per axis."""
    if method.mode not in ("nearest", "linear", "cubic"):
        b.invalid(f"mode is {method.mode!r}")
    if method.coordinates not in resampling.POSITIONS:
        b.invalid(f"coordinate_transformation_mode is {method.coordinates!r}")
    if method.rounding not in resampling.ROUNDINGS:
        b.invalid(f"nearest_mode is {method.rounding!r}")
    if method.mode != "nearest":
        b.require_dtype(x, "the operand", "float32")
    picture = _as_picture(axes, method)
    if picture is not None:
        shape = [axis.outputs for axis in axes]
        scales = tuple(axis.scale for axis in axes[2:])
        return b.emit("Resize", [x], shape, scales=scales, coordinate_mode=picture)
    # What shrinks comes first, and of equals the last axis, whose neighbours lie closest.
    for i in sorted(range(len(axes)), key=lambda i: (axes[i].outputs / axes[i].inputs, -i)):
        x = _resize_axis(b, x, i, axes[i], method)
    return x


def _as_picture(axes: Sequence[resampling.Axis], method: _Method) -> str | None:
    """The coordinate mode of the engine's bilinear resize of pictures, if that fits."""
    coordinates = method.coordinates
    if coordinates == "pytorch_half_pixel" and all(axis.outputs > 1 for axis in axes[2:]):
        coordinates = "half_pixel"
    fits = (
        method.mode == "linear"
        and not (method.antialias or method.exclude_outside)
        and coordinates in COORDINATE_MODES
        and len(axes) == 4
        and all(axis.inputs == axis.outputs and axis.scale == 1 for axis in axes[:2])
    )
    return coordinates if fits else None


def _resize_axis(b: Builder, x: Tensor, i: int, axis: resampling.Axis, method: _Method) -> Tensor:
    crops = method.coordinates == "tf_crop_and_resize"
    whole = not crops or (axis.start, axis.end) == (0.0, 1.0)
    if axis.inputs == axis.outputs and axis.scale == 1 and whole:
        return x
    at = resampling.positions(axis, method.coordinates)
    out = resampling.outside(axis, at) if crops else np.zeros(axis.outputs, bool)
    if out.any():  # Positions outside are one more element behind the others.
        pads = [0] * (2 * len(x.shape))
        pads[len(x.shape) + i] = 1
        value = np.array(method.extrapolation_value, x.dtype)
        x = padded(b, x, pads, b.constant(value))
    if method.mode == "nearest":
        chosen = resampling.nearest(axis, at, method.rounding)
        return gather(b, x, np.where(out, axis.inputs, chosen), i)
    k, w = resampling.taps(axis, at, method.kernel, method.antialias, method.exclude_outside)
    k = np.where(out[:, None], axis.inputs, k).astype(np.int32)
    w = np.where(out[:, None], np.float32(0), w)
    w[out, 0] = 1
    return b.engine("resample_f32", [x, b.constant(k), b.constant(w)], axis=i)


def _scaled(b: Builder, x: Tensor, scales: Sequence[float]) -> list[resampling.Axis]:
    factors = np.array(scales, np.float32)
    if factors.shape != (len(x.shape),):
        b.invalid(f"scales of shape {list(factors.shape)} for {list(x.shape)}")
    if not np.all((factors > 0) & (factors < 2**20)):
        b.invalid(f"scales are {factors.tolist()}")
    extents = np.floor(np.array(x.shape, np.float32) * factors)
    return [
        resampling.Axis(n, int(extent), float(factor))
        for n, extent, factor in zip(x.shape, extents, factors, strict=True)
    ]


def _sized(b: Builder, x: Tensor, sizes: Sequence[int]) -> list[resampling.Axis]:
    if len(sizes) != len(x.shape) or min(sizes, default=1) < 1:
        b.invalid(f"sizes {list(sizes)} for {list(x.shape)}")
    return [
        resampling.Axis(n, size, float(np.float32(size) / np.float32(n)))
        for n, size in zip(x.shape, sizes, strict=True)
    ]


def _keeping_aspect(
    b: Builder, x: Tensor, sizes: Sequence[int], axes: Sequence[int], policy: str
) -> list[resampling.Axis]:
    """Axes with one scale: the smallest or largest that the sizes of `axes` ask for."""
    if policy not in ("not_larger", "not_smaller"):
        b.invalid(f"keep_aspect_ratio_policy is {policy!r}")
    ratios = [sizes[axis] / x.shape[axis] for axis in axes]
    scale = min(ratios) if policy == "not_larger" else max(ratios)
    return [
        resampling.Axis(n, int(n * scale + 0.5), float(np.float32(scale)))
        if i in axes
        else resampling.Axis(n, n, 1.0)
        for i, n in enumerate(x.shape)
    ]


def _old(b: Builder, x: Tensor, scales: Sequence[float], mode: str) -> Tensor:
    """As before opset 11: asymmetric; nearest takes the floor, or the ceiling in a smaller one."""
    smaller = any(scale < 1 for scale in scales)
    method = _Method(mode, "asymmetric", "ceil" if smaller else "floor")
    return _resize(b, x, _scaled(b, x, scales), method)


@onnx_operator(7, 8)
def Upsample_7(b: Builder, x: Tensor, *, scales: Floats, mode: str = "nearest") -> Tensor:
    """Nearest for any dtype, linear for float32."""
    return _old(b, x, scales, mode)


@onnx_operator(9, 9)
def Upsample_9(b: Builder, x: Tensor, scales: Tensor, *, mode: str = "nearest") -> Tensor:
    """Nearest for any dtype, linear for float32; constant scales."""
    return _old(b, x, b.value(scales, "scales").tolist(), mode)


@onnx_operator(10, 10)
def Resize_10(b: Builder, x: Tensor, scales: Tensor, *, mode: str = "nearest") -> Tensor:
    """Nearest for any dtype, linear for float32; constant scales."""
    return _old(b, x, b.value(scales, "scales").tolist(), mode)


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
    """Nearest for any dtype, linear and cubic for float32; constant scales, sizes and roi."""
    rank = len(x.shape)
    chosen = list(range(rank)) if axes is None else [b.axis(axis, rank) for axis in axes]
    if scales is not None and scales.elements:
        factors: list[float] = b.value(scales, "scales").tolist()
        found = _scaled(b, x, _put(b, [1.0] * rank, chosen, factors))
    elif sizes is not None and sizes.elements:
        extents = _put(b, x.shape, chosen, b.ints(sizes, "sizes"))
        found = _sized(b, x, extents)
        if keep_aspect_ratio_policy != "stretch":
            found = _keeping_aspect(b, x, extents, chosen, keep_aspect_ratio_policy)
    else:
        b.invalid("has neither scales nor sizes")
    if coordinate_transformation_mode == "tf_crop_and_resize":
        found = _cropped(b, found, chosen, roi)
    method = _Method(
        mode,
        coordinate_transformation_mode,
        nearest_mode,
        bool(antialias),
        bool(exclude_outside),
        cubic_coeff_a,
        extrapolation_value,
    )
    return _resize(b, x, found, method)


def _put(b: Builder, full: Sequence[T], axes: Sequence[int], values: Sequence[T]) -> list[T]:
    """`full` with other values for `axes`."""
    if len(values) != len(axes):
        b.invalid(f"{len(values)} scales or sizes for axes {list(axes)}")
    chosen = dict(zip(axes, values, strict=True))
    return [chosen.get(axis, value) for axis, value in enumerate(full)]


def _cropped(
    b: Builder, found: list[resampling.Axis], axes: Sequence[int], roi: Tensor | None
) -> list[resampling.Axis]:
    if roi is None:
        b.invalid("has no roi")
    region = b.value(roi, "roi").ravel().tolist()
    if len(region) != 2 * len(axes):
        b.invalid(f"roi {region} for axes {list(axes)}")
    found = list(found)
    for i, start, end in zip(axes, region[: len(axes)], region[len(axes) :], strict=True):
        found[i] = replace(found[i], start=start, end=end)
    return found
