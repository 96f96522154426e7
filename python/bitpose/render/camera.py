# SPDX-License-Identifier: Apache-2.0
"""Cameras: where a point of the world lies in a picture.

Frames. World: metres, any axes. Camera: x to the right, y down, z into the picture (OpenCV's).
Picture: pixels, x to the right, y down; the centre of the first pixel is (0.5, 0.5).
`T_camera_world` [4, 4] float64 maps homogeneous points of the world into the camera's frame.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.errors import InputError

Array = NDArray[np.float64]

MAX_EXTENT = 1 << 14
MAX_PIXELS = 1 << 26
MAX_PARAMETER = 1e9


def _identity() -> Array:
    return np.eye(4)


@dataclass(frozen=True, kw_only=True)
class Camera(ABC):
    """What all cameras have: the extents of the picture in pixels, and where they stand.

    Raises InputError for extents outside 1 .. 16384, for more than 2^26 pixels, and for what is not
    finite or above 1e9.
    """

    width: int
    height: int
    T_camera_world: Array = field(default_factory=_identity)

    def __post_init__(self) -> None:
        for name in ("width", "height"):
            extent = getattr(self, name)
            if not (isinstance(extent, int | np.integer) and 0 < extent <= MAX_EXTENT):
                raise InputError(f"{name} is {extent}; must be an integer in 1 .. {MAX_EXTENT}")
        if int(self.width) * int(self.height) > MAX_PIXELS:
            extents = f"{self.width} x {self.height}"
            raise InputError(f"a picture of {extents} pixels; at most {MAX_PIXELS} can be drawn")
        transform = np.array(self.T_camera_world, np.float64)
        if transform.shape != (4, 4):
            raise InputError(f"T_camera_world has shape {transform.shape}; must be (4, 4)")
        if not (np.abs(transform) <= MAX_PARAMETER).all():
            raise InputError("T_camera_world must be finite and at most 1e9")
        if not np.array_equal(transform[3], [0, 0, 0, 1]):
            raise InputError("the last row of T_camera_world must be 0, 0, 0, 1")
        transform.flags.writeable = False
        object.__setattr__(self, "T_camera_world", transform)

    @property
    @abstractmethod
    def nearest(self) -> float:
        """The least third clip coordinate of what is drawn."""

    @property
    @abstractmethod
    def pixel_size(self) -> float:
        """The width of a pixel in metres, for perspective cameras at a depth of 1 m."""

    @property
    @abstractmethod
    def clip_camera(self) -> Array:
        """[4, 4]: from the camera's frame to (x w, y w, w, d), pixels and any w.

        d / w is linear in the picture and larger nearer to the camera.
        """

    @property
    def clip_world(self) -> Array:
        return np.asarray(_product(self.clip_camera, self.T_camera_world))

    def project(self, points_world: ArrayLike) -> tuple[Array, Array]:
        """Points [..., 3] as pixels [..., 2] and depths [...] in metres along the camera's z.

        Where a perspective camera does not see a point, nearer than `near`, its pixel is NaN.
        """
        points = np.asarray(points_world, np.float64)
        if points.ndim == 0 or points.shape[-1] != 3:
            raise InputError(f"points have shape {points.shape}; must be (..., 3)")
        clip = _transform(self.clip_world, points)
        depth = _transform(self.T_camera_world, points)[..., 2]
        w = np.where(clip[..., 2] >= self.nearest, clip[..., 2], np.nan)
        return clip[..., :2] / w[..., None], depth

    def around(self, centre_world: ArrayLike, degrees: float) -> Self:
        """The same camera walked around a vertical axis of its own through a point.

        Positive angles take it to its right.
        """
        centre = _transform(self.T_camera_world, _point("centre_world", centre_world))[:3]
        angle = np.deg2rad(degrees)
        turn = np.eye(4)
        turn[0, 0] = turn[2, 2] = np.cos(angle)
        turn[0, 2], turn[2, 0] = np.sin(angle), -np.sin(angle)
        turn[:3, 3] = centre - _transform(turn, centre)[:3]
        return replace(self, T_camera_world=_product(turn, self.T_camera_world))


@dataclass(frozen=True, kw_only=True)
class PerspectiveCamera(Camera):
    """A pinhole: x = fx * X / Z + cx, y = fy * Y / Z + cy.

    The principal point is the middle of the picture where it is not given. What is nearer than
    `near` metres is not seen.
    """

    fx: float
    fy: float
    cx: float = float("nan")
    cy: float = float("nan")
    near: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        if np.isnan(self.cx):
            object.__setattr__(self, "cx", self.width / 2)
        if np.isnan(self.cy):
            object.__setattr__(self, "cy", self.height / 2)
        for name in ("fx", "fy", "near"):
            _check(name, getattr(self, name), positive=True)
        _check("cx", self.cx)
        _check("cy", self.cy)

    @property
    def nearest(self) -> float:
        return self.near

    @property
    def pixel_size(self) -> float:
        return 1 / min(self.fx, self.fy)

    @property
    def clip_camera(self) -> Array:
        return np.array(
            [[self.fx, 0, self.cx, 0], [0, self.fy, self.cy, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
            np.float64,
        )


@dataclass(frozen=True, kw_only=True)
class WeakPerspectiveCamera(Camera):
    """A scaled orthographic camera: x = scale * X + cx, y = scale * Y + cy.

    `scale` is in pixels per metre; (cx, cy) is where the origin of the camera's frame lies in the
    picture, its middle where it is not given. Everything is seen, also behind the origin.
    """

    scale: float
    cx: float = float("nan")
    cy: float = float("nan")

    def __post_init__(self) -> None:
        super().__post_init__()
        if np.isnan(self.cx):
            object.__setattr__(self, "cx", self.width / 2)
        if np.isnan(self.cy):
            object.__setattr__(self, "cy", self.height / 2)
        _check("scale", self.scale, positive=True)
        _check("cx", self.cx)
        _check("cy", self.cy)

    @property
    def nearest(self) -> float:
        return 1.0

    @property
    def pixel_size(self) -> float:
        return 1 / self.scale

    @property
    def clip_camera(self) -> Array:
        return np.array(
            [[self.scale, 0, 0, self.cx], [0, self.scale, 0, self.cy], [0, 0, 0, 1], [0, 0, -1, 0]],
            np.float64,
        )


def look_at(eye_world: ArrayLike, target_world: ArrayLike, up_world: ArrayLike) -> Array:
    """T_camera_world of a camera at `eye_world` whose z axis points to `target_world`.

    Raises InputError where that leaves a direction open: no distance, or a view along `up_world`.
    """
    eye, target = _point("eye_world", eye_world), _point("target_world", target_world)
    up = _point("up_world", up_world)
    forward = target - eye
    right = np.cross(forward, up)
    if not (np.linalg.norm(right) > 1e-9 * np.linalg.norm(forward) * np.linalg.norm(up)):
        raise InputError("the direction of view must not be zero, nor along up_world")
    right /= np.linalg.norm(right)
    forward /= np.linalg.norm(forward)
    transform = np.eye(4)
    transform[:3, :3] = np.stack([right, np.cross(forward, right), forward])
    transform[:3, 3] = -(transform[:3, :3] * eye).sum(axis=1)
    return transform


def _point(name: str, value: ArrayLike) -> Array:
    point = np.asarray(value, np.float64)
    if point.shape != (3,) or not np.isfinite(point).all():
        raise InputError(f"{name} is {point.tolist()}; must be three finite numbers")
    return point


def _check(name: str, value: float, *, positive: bool = False) -> None:
    if not abs(value) <= MAX_PARAMETER or (positive and value < 1 / MAX_PARAMETER):
        wanted = "in 1e-9 .. 1e9" if positive else "finite and at most 1e9"
        raise InputError(f"{name} is {value}; must be {wanted}")


def _product(a: Array, b: Array) -> Array:
    """a @ b in a fixed order of summation."""
    return np.asarray((a[:, :, None] * b[None]).sum(axis=1))


def _transform(matrix: Array, points: Array) -> Array:
    """[4, 4] times homogeneous points [..., 3]: [..., 4], in a fixed order of summation."""
    x, y, z = points[..., 0, None], points[..., 1, None], points[..., 2, None]
    return np.asarray(matrix[:, 0] * x + matrix[:, 1] * y + matrix[:, 2] * z + matrix[:, 3])
