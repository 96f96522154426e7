# SPDX-License-Identifier: Apache-2.0
"""What was seen: keypoints in pictures, joints in space, and how far a body is from them.

Cameras look along z, x to the right and y down, as in OpenCV; a pixel (u, v) of a camera with focal
length f and principal point c is where  (u, v) = f (x, y) / z + c.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.body.batches import finite
from bitpose.body.fit.landmarks import Landmarks
from bitpose.body.fit.parameters import Guesses, by_steps
from bitpose.body.fit.solve import Quadratic
from bitpose.errors import InputError

Array = NDArray[Any]

#: Points nearer to the camera than this, in metres, make a guess impossible.
_NEAREST = 0.1
#: The deviation of keypoints, as a share of the person's extent, where it is not given.
_NOISE = 0.01
#: A keypoint counts as misplaced from so many deviations and such a share of the person's extent.
_CUTOFF, _MISPLACED = 5.0, 0.05
#: Of rotation matrices, which may come from a file with few decimals.
_ORTHOGONAL = 1e-3
#: Pixels and metres that mean something; their squares neither overflow nor vanish.
_SMALLEST, _LARGEST = 1e-6, 1e7
_FLOAT = np.dtype(np.float64)


@dataclass(frozen=True, eq=False)
class View:
    """Keypoints of one person in one picture.

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
    noise: float | None = None
    """Standard deviation of a keypoint in pixels; None for a hundredth of the person's extent."""
    R_view_world: ArrayLike = field(default_factory=lambda: np.eye(3))
    """[3, 3]. With one view the world is commonly that of the camera."""
    t_view_world: ArrayLike = (0.0, 0.0, 0.0)
    """[3] metres."""

    def __post_init__(self) -> None:
        points, confidence = _checked("keypoints", self.keypoints, self.confidence, 2)
        for name, value in (("focal", self.focal), ("noise", self.noise)):
            if value is not None:
                object.__setattr__(self, name, positive(name, value))
        for name, shape in (("center", (2,)), ("R_view_world", (3, 3)), ("t_view_world", (3,))):
            array = _bounded(name, getattr(self, name))
            if array.shape != shape:
                raise InputError(f"{name} of shape {array.shape}: must be {list(shape)}")
            object.__setattr__(self, name, array)
        R = np.asarray(self.R_view_world)
        if np.abs(R @ R.T - np.eye(3)).max() > _ORTHOGONAL or np.linalg.det(R) < 0:
            raise InputError("R_view_world is no rotation")
        object.__setattr__(self, "keypoints", points)
        object.__setattr__(self, "confidence", confidence)

    @property
    def seen(self) -> Array:
        """[n, 2]: the keypoints with a confidence."""
        return np.asarray(self.keypoints)[np.asarray(self.confidence) > 0]

    def deviation(self, blur: float) -> tuple[float, float]:
        """Pixels: of the noise with a blur by a share of the person's extent; and the distance
        from which a keypoint counts as misplaced.
        """
        seen = self.seen
        extent = float(np.ptp(seen, axis=0).max()) if len(seen) else 0.0
        extent = max(extent, 1e-3)
        noise = _NOISE * extent if self.noise is None else self.noise
        deviation = float(np.hypot(noise, blur * extent))
        return deviation, _CUTOFF * deviation + _MISPLACED * extent

    def project(self, points: Array, focal: Array) -> Array:
        """[N, K, 2] pixels of `points` [N, K, 3] in the world with focal lengths [N]."""
        x = points @ np.asarray(self.R_view_world).T + np.asarray(self.t_view_world)
        depth = np.maximum(x[..., 2:], _NEAREST)
        return np.asarray(focal[:, None, None] * x[..., :2] / depth + np.asarray(self.center))


def keypoint_energy(
    guesses: Guesses, points: Array, by_step: Array, view: View, blur: float
) -> Quadratic:
    """Of keypoints `points` [N, K, 3] in the world with derivatives [N, K, 3, P].

    A keypoint that is off by r standard deviations costs c^2 r^2 / (c^2 + r^2) / 2 (Geman-McClure)
    times its confidence, with the cutoff c; the quadratic is that of reweighted least squares.
    `blur`: see `View.deviation`.
    """
    R = np.asarray(view.R_view_world)
    x = points @ R.T + np.asarray(view.t_view_world)
    seen = np.asarray(view.confidence) > 0
    possible = (x[:, seen, 2] > _NEAREST).all(axis=1)
    scale = np.exp(guesses.log_focal) if view.focal is None else np.full(len(x), view.focal)
    inverse = 1 / np.maximum(x[..., 2], _NEAREST)
    slope = scale[:, None] * inverse  # [N, K] pixels a metre.
    plane = x[..., :2] * inverse[..., None]
    # (dx - plane dz) f / z, from the camera's axes.
    axes = R[None, None, :2] - plane[..., None] * R[2]
    jacobian = (slope[..., None, None] * axes) @ by_step
    if view.focal is None:
        jacobian[..., guesses.layout.focal] += (scale[:, None, None] * plane)[..., None]
    away = scale[:, None, None] * plane + np.asarray(view.center) - np.asarray(view.keypoints)
    deviation, cutoff = view.deviation(blur)
    energy, gradient, hessian = _robust(
        away / deviation, jacobian / deviation, np.asarray(view.confidence), cutoff / deviation
    )
    return Quadratic(np.where(possible, energy, np.inf), gradient, hessian)


def _robust(
    away: Array, jacobian: Array, confidence: Array, cutoff: float
) -> tuple[Array, Array, Array]:
    squares = np.sum(away * away, axis=-1)
    share = cutoff**2 / (cutoff**2 + squares)
    energy = 0.5 * np.sum(confidence * share * squares, axis=-1)
    weight = confidence * share**2
    weighted = (weight[..., None, None] * jacobian).reshape(len(away), -1, jacobian.shape[-1])
    flat = jacobian.reshape(weighted.shape)
    turned = np.swapaxes(weighted, 1, 2)
    return energy, (turned @ away.reshape(len(away), -1, 1))[..., 0], turned @ flat


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
        points, confidence = _checked("positions", self.positions, self.confidence, 3)
        object.__setattr__(self, "positions", points)
        object.__setattr__(self, "confidence", confidence)
        object.__setattr__(self, "noise", positive("noise", self.noise))

    @property
    def seen(self) -> Array:
        """[n, 3]: the joints with a confidence."""
        return np.asarray(self.positions)[np.asarray(self.confidence) > 0]


def space_energy(points: Array, by_step: Array, seen: SpacePoints, blur: float) -> Quadratic:
    """Of points [N, J, 3] in the world with derivatives [N, J, 3, P], as `keypoint_energy`."""
    deviation = float(np.hypot(seen.noise, blur))
    away = (points - np.asarray(seen.positions)) / deviation
    cutoff = _CUTOFF + _MISPLACED / deviation
    return Quadratic(*_robust(away, by_step / deviation, np.asarray(seen.confidence), cutoff))


def derivatives(landmarks: Landmarks, guesses: Guesses) -> tuple[Array, Array]:
    """Points [N, K, 3] and their derivatives [N, K, 3, P]."""
    posed = guesses.posed(landmarks.skeleton)
    by_turn, by_shape = landmarks.jacobian(posed)
    return landmarks.positions(posed), by_steps(guesses, by_turn, by_shape)


def positive(name: str, value: float) -> float:
    """The value; raises InputError unless it is a number from 1e-6 to 1e7."""
    number = finite(name, value, _FLOAT)
    if number.shape != () or not _SMALLEST <= number <= _LARGEST:
        raise InputError(f"{name} is {value}, must be positive: {_SMALLEST:g} to {_LARGEST:g}")
    return float(number)


def _bounded(name: str, value: ArrayLike) -> Array:
    array = finite(name, value, _FLOAT)
    if (np.abs(array) > _LARGEST).any():
        raise InputError(f"{name} holds a number beyond {_LARGEST:g}")
    return array.copy()


def _checked(name: str, points: ArrayLike, confidence: ArrayLike, axes: int) -> tuple[Array, Array]:
    """Copies of points [K, axes] and their confidences [K]; points without confidence are 0."""
    confidence = _bounded("confidence", confidence)
    try:
        points = np.array(points, _FLOAT)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} are no array of numbers: {error}") from None
    if confidence.ndim != 1 or points.shape != (*confidence.shape, axes):
        raise InputError(
            f"{name} of shape {points.shape} with confidence of shape {confidence.shape}: "
            f"must be [K, {axes}] and [K]"
        )
    if (confidence < 0).any():
        raise InputError("a confidence is negative")
    points[confidence == 0] = 0
    if not (np.abs(points) <= _LARGEST).all():
        raise InputError(
            f"{name} with a confidence are NaN, infinite or beyond {_LARGEST:g}; give them 0"
        )
    return points, confidence
