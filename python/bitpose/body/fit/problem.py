# SPDX-License-Identifier: Apache-2.0
"""The energy of a fit: minus the logarithm of how probable a body is, given what was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.fit.capsules import Capsules
from bitpose.body.fit.landmarks import Landmarks
from bitpose.body.fit.likelihood import Sighting, derivatives, posture, space_energy
from bitpose.body.fit.parameters import Guesses
from bitpose.body.fit.prediction import Held
from bitpose.body.fit.prior import Density, PosePrior
from bitpose.body.fit.solve import Quadratic
from bitpose.body.fit.views import SpacePoints, View
from bitpose.body.rotations import cross_matrix

Array = NDArray[Any]

#: Standard deviation of the logarithm of a focal length that is not known.
FOCAL_DEVIATION = 0.4


@dataclass(frozen=True, eq=False)
class Problem:
    """One person, as seen."""

    joints: Landmarks
    views: tuple[View, ...]
    sightings: tuple[Sighting, ...]
    """What the views saw; those of the same landmarks follow each other."""
    space: SpacePoints | None
    limits: PosePrior
    """Whose limits of joints are kept in any case."""
    density: Density | None
    """Of the pose, and of up where `up` is given."""
    capsules: Capsules | None
    """What may not be in each other's place."""
    up: Array | None
    """[3]: up in the world."""
    log_focal: float
    """The likeliest, where it is not known."""
    held: Held | None = None
    """What the pose was predicted to be."""
    prior_weight: float = 1.0
    """How much counts what is known before seeing: less for one of many frames alike."""

    @property
    def fixed_focal(self) -> bool:
        """Whether every view came with its focal length."""
        return all(view.focal is not None for view in self.views)

    def energy(self, guesses: Guesses, blur: float, solid: bool = True) -> Quadratic:
        """Where `blur` adds to the noise: a share of the person's extent in a picture, metres in
        space. A fit starts with much of it, and with parts that are not `solid` to each other.
        """
        here = posture(self.joints.skeleton, guesses)
        total = self._before_seeing(guesses).times(self.prior_weight)
        if solid and self.capsules is not None:
            total += self.capsules.energy(guesses, here)
        last = None
        for sighting in self.sightings:
            if sighting.landmarks is not last:
                last = sighting.landmarks
                points, by_step = derivatives(last, guesses, here)
            total += sighting.energy(guesses, points, by_step, blur)
        if self.space is not None:
            points, by_step = derivatives(self.joints, guesses, here)
            total += space_energy(points, by_step, self.space, blur)
        return total

    def _before_seeing(self, guesses: Guesses) -> Quadratic:
        """Of pose, shape and focal length."""
        at, count = guesses.layout, len(guesses)
        gradient = np.zeros((count, at.size))
        hessian = np.zeros((count, at.size, at.size))
        pose = guesses.body_pose.reshape(count, -1)
        energy, gradient[:, at.body], diagonal = self.limits.beyond_limits(pose)
        body = np.arange(at.size)[at.body]
        hessian[:, body, body] = diagonal
        if self.held is not None:
            off, slope, curvature = self.held.energy(pose)
            energy = energy + off
            gradient[:, at.body] += slope
            hessian[:, body, body] += curvature
        if self.density is not None:
            energy = energy + self._hold(guesses, pose, self.density, gradient, hessian)
        shape = np.arange(at.size)[at.shape]
        off = (guesses.log_focal - self.log_focal) / FOCAL_DEVIATION
        energy = energy + 0.5 * np.sum(guesses.betas**2, axis=1) + 0.5 * off**2
        gradient[:, at.shape] = guesses.betas
        hessian[:, shape, shape] = 1
        gradient[:, at.focal] = off[:, None] / FOCAL_DEVIATION
        hessian[:, at.focal, at.focal] = 1 / FOCAL_DEVIATION**2
        return Quadratic(energy, gradient, hessian)

    def _hold(
        self, guesses: Guesses, pose: Array, density: Density, gradient: Array, hessian: Array
    ) -> Array:
        """The energy [N] of how the body holds itself; adds to its derivatives.

        A turn w of the root changes up in its frame, u, by u x w.
        """
        at = guesses.layout
        if self.up is None:
            energy, slope, curvature = density(pose)
            gradient[:, at.body] += slope
            hessian[:, at.body, at.body] += curvature
            return energy
        up = np.swapaxes(guesses.R_world_root, 1, 2) @ self.up
        energy, slope, curvature = density(np.concatenate([pose, up], axis=1))
        count = pose.shape[1]
        by_step = np.zeros((*slope.shape, 3 + count))  # [N, D, 3 J]
        by_step[:, :count, 3:] = np.eye(count)
        by_step[:, count:, :3] = cross_matrix(up)
        turned = np.swapaxes(by_step, 1, 2)
        gradient[:, : 3 + count] += (turned @ slope[..., None])[..., 0]
        hessian[:, : 3 + count, : 3 + count] += turned @ curvature @ by_step
        return energy
