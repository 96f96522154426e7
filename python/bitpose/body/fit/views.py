# SPDX-License-Identifier: Apache-2.0
"""What was seen: keypoints and points of the surface in pictures, joints in space.

Cameras look along z, x to the right and y down, as in OpenCV; a pixel (u, v) of a camera with focal
length f and principal point c is where  (u, v) = f (x, y) / z + c.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.body.fit.checks import bounded, noise_of, positive, rotations, seen_points
from bitpose.body.fit.dense import DensePoints

Array = NDArray[Any]

#: Points nearer to the camera than this, in metres, make a guess impossible.
NEAREST = 0.1


@dataclass(frozen=True, eq=False)
class View:
    """Keypoints of one person in one picture, and points of the surface where they are known.

    Raises InputError for shapes that do not fit, for numbers that are not finite or beyond 1e7, for
    negative confidences, for a focal length or noise that is not positive, and for an R_view_world
    that is no rotation.
    """

    keypoints: ArrayLike
    """[K, 2] pixels; where `confidence` is 0 they may be anything, also NaN."""
    confidence: ArrayLike
    """[K]: 0 for what was not seen; 1 for what is as sure as `noise` says."""
    center: ArrayLike
    """[2] pixels: the principal point, commonly the middle of the picture."""
    focal: float | None = None
    """Pixels; None where it is not known."""
    noise: ArrayLike | None = None
    """Standard deviation of keypoints in pixels, one or [K]; None for a hundredth of the person's
    extent."""
    R_view_world: ArrayLike = field(default_factory=lambda: np.eye(3))
    """[3, 3]. With one view the world is commonly that of the camera."""
    t_view_world: ArrayLike = (0.0, 0.0, 0.0)
    """[3] metres."""
    dense: DensePoints | None = None
    """Points of the body's surface."""

    def __post_init__(self) -> None:
        points, confidence = seen_points("keypoints", self.keypoints, self.confidence, 2)
        object.__setattr__(self, "keypoints", points)
        object.__setattr__(self, "confidence", confidence)
        object.__setattr__(self, "noise", noise_of(self.noise, len(points)))
        if self.focal is not None:
            object.__setattr__(self, "focal", positive("focal", self.focal))
        for name, shape in (("center", (2,)), ("R_view_world", (3, 3)), ("t_view_world", (3,))):
            object.__setattr__(self, name, bounded(name, getattr(self, name), shape))
        object.__setattr__(self, "R_view_world", rotations("R_view_world", self.R_view_world))

    @property
    def seen(self) -> Array:
        """[n, 2]: the pixels of keypoints and surface points with a confidence."""
        keypoints = np.asarray(self.keypoints)[np.asarray(self.confidence) > 0]
        return keypoints if self.dense is None else np.concatenate([keypoints, self.dense.seen])

    @property
    def extent(self) -> float:
        """Pixels that the person reaches over, horizontally or vertically."""
        seen = self.seen
        return max(float(np.ptp(seen, axis=0).max()) if len(seen) else 0.0, 1e-3)

    def project(self, points: Array, focal: Array) -> Array:
        """[N, K, 2] pixels of `points` [N, K, 3] in the world with focal lengths [N]."""
        x = points @ np.asarray(self.R_view_world).T + np.asarray(self.t_view_world)
        depth = np.maximum(x[..., 2:], NEAREST)
        return np.asarray(focal[:, None, None] * x[..., :2] / depth + np.asarray(self.center))


@dataclass(frozen=True, eq=False)
class SpacePoints:
    """Joints of the skeleton where they are in the world.

    Raises InputError for shapes that do not fit, for numbers that are not finite or beyond 1e7, for
    negative confidences and for a noise that is not positive.
    """

    positions: ArrayLike
    """[J, 3] metres; where `confidence` is 0 they may be anything, also NaN."""
    confidence: ArrayLike
    """[J]: 0 for what was not seen; 1 for what is as sure as `noise` says."""
    noise: float = 0.001
    """Standard deviation in metres."""

    def __post_init__(self) -> None:
        points, confidence = seen_points("positions", self.positions, self.confidence, 3)
        object.__setattr__(self, "positions", points)
        object.__setattr__(self, "confidence", confidence)
        object.__setattr__(self, "noise", positive("noise", self.noise))

    @property
    def seen(self) -> Array:
        """[n, 3]: the joints with a confidence."""
        return np.asarray(self.positions)[np.asarray(self.confidence) > 0]
