# SPDX-License-Identifier: Apache-2.0
"""How far bodies are from what was seen, as energies.

A point that is off by r standard deviations costs c^2 r^2 / (c^2 + r^2) / 2 (Geman-McClure) times
its confidence, with the cutoff c; the quadratic is that of reweighted least squares. Each takes a
blur, which adds to the noise: a share of the person's extent in a picture, metres in space.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.fit.dense import DensePoints
from bitpose.body.fit.landmarks import Landmarks, Posture
from bitpose.body.fit.parameters import Guesses, by_steps
from bitpose.body.fit.solve import Quadratic
from bitpose.body.fit.views import NEAREST, SpacePoints, View
from bitpose.body.model import BodyModel

Array = NDArray[Any]

#: The deviation of points in a picture, as a share of the person's extent, where it is not given.
_NOISE = 0.01
#: A point counts as misplaced from so many deviations and such a share of the person's extent.
_CUTOFF, _MISPLACED = 5.0, 0.05


@dataclass(frozen=True, eq=False)
class Sighting:
    """Landmarks that one view saw."""

    landmarks: Landmarks
    """K."""
    view: View
    """Whose camera it is."""
    pixels: Array
    """[K, 2]."""
    confidence: Array
    """[K]."""
    noise: Array
    """[K] pixels."""
    extent: float
    """Pixels of the person."""

    @classmethod
    def of_keypoints(cls, landmarks: Landmarks, view: View) -> Sighting:
        """The keypoints of a view."""
        return cls._of(landmarks, view, view.keypoints, view.confidence, view.noise)

    @classmethod
    def of_surface(cls, landmarks: Landmarks, view: View, dense: DensePoints) -> Sighting:
        """Surface points that a view saw."""
        return cls._of(landmarks, view, dense.pixels, dense.confidence, dense.noise)

    @classmethod
    def _of(
        cls, landmarks: Landmarks, view: View, pixels: Any, confidence: Any, noise: Any
    ) -> Sighting:
        extent = view.extent
        deviation = np.full(len(landmarks), _NOISE * extent) if noise is None else noise
        return cls(landmarks, view, np.asarray(pixels), np.asarray(confidence), deviation, extent)

    @property
    def seen(self) -> Array:
        """[n, 2]: the pixels with a confidence."""
        return self.pixels[self.confidence > 0]

    def energy(self, guesses: Guesses, points: Array, by_step: Array, blur: float) -> Quadratic:
        """Of the landmarks at `points` [N, K, 3] in the world with derivatives [N, K, 3, P]."""
        view = self.view
        R = np.asarray(view.R_view_world)
        x = points @ R.T + np.asarray(view.t_view_world)
        possible = (x[:, self.confidence > 0, 2] > NEAREST).all(axis=1)
        scale = np.exp(guesses.log_focal) if view.focal is None else np.full(len(x), view.focal)
        inverse = 1 / np.maximum(x[..., 2], NEAREST)
        slope = scale[:, None] * inverse  # [N, K] pixels a metre.
        plane = x[..., :2] * inverse[..., None]
        # (dx - plane dz) f / z, from the camera's axes.
        axes = R[None, None, :2] - plane[..., None] * R[2]
        deviation = np.hypot(self.noise, blur * self.extent)
        jacobian = ((slope / deviation)[..., None, None] * axes) @ by_step
        if view.focal is None:
            by_focal = scale[:, None, None] * plane / deviation[:, None]
            jacobian[..., guesses.layout.focal] += by_focal[..., None]
        away = scale[:, None, None] * plane + np.asarray(view.center) - self.pixels
        cutoff = _CUTOFF + _MISPLACED * self.extent / deviation
        quadratic = _robust(away / deviation[:, None], jacobian, self.confidence, cutoff)
        return Quadratic(
            np.where(possible, quadratic.energy, np.inf), quadratic.gradient, quadratic.hessian
        )


def space_energy(points: Array, by_step: Array, seen: SpacePoints, blur: float) -> Quadratic:
    """Of points [N, J, 3] in the world with derivatives [N, J, 3, P]."""
    deviation = float(np.hypot(seen.noise, blur))
    away = (points - np.asarray(seen.positions)) / deviation
    cutoff = np.full(len(away[0]), _CUTOFF + _MISPLACED / deviation)
    return _robust(away, by_step / deviation, np.asarray(seen.confidence), cutoff)


def posture(skeleton: BodyModel, guesses: Guesses) -> Posture:
    """Of all guesses, for derivatives by their steps."""
    return Posture.of(guesses.posed(skeleton), guesses.turn_jacobian)


def derivatives(landmarks: Landmarks, guesses: Guesses, at: Posture) -> tuple[Array, Array]:
    """Points [N, K, 3] and their derivatives [N, K, 3, P]; `at` is the guesses' posture."""
    points, by_turn, by_shape = landmarks.with_jacobian(at)
    return points, by_steps(guesses.layout, by_turn, by_shape)


def _robust(away: Array, jacobian: Array, confidence: Array, cutoff: Array) -> Quadratic:
    """Of differences [N, K, D] with derivatives [N, K, D, P], both in deviations."""
    squares = np.sum(away * away, axis=-1)
    share = cutoff**2 / (cutoff**2 + squares)
    energy = 0.5 * np.sum(confidence * share * squares, axis=-1)
    root = np.sqrt(confidence) * share
    flat = (root[..., None, None] * jacobian).reshape(len(away), -1, jacobian.shape[-1])
    turned = np.swapaxes(flat, 1, 2)
    pull = (root[..., None] * away).reshape(len(away), -1, 1)
    return Quadratic(energy, (turned @ pull)[..., 0], turned @ flat)
