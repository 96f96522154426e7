# SPDX-License-Identifier: Apache-2.0
"""What was scanned, and how far a body is from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.body.batches import finite
from bitpose.body.fit.parameters import Guesses, Layout
from bitpose.body.fit.problem import Problem
from bitpose.body.fit.scan.closest import Fans, Nearest
from bitpose.body.fit.scan.cloth import Bare, Clothed
from bitpose.body.fit.solve import Quadratic
from bitpose.body.fit.views import SpacePoints
from bitpose.body.gradients import vertex_jacobian
from bitpose.body.model import BodyModel
from bitpose.body.rotations import right_jacobian
from bitpose.errors import InputError

Array = NDArray[Any]

_FLOAT = np.dtype(np.float64)
_FARTHEST = 1e4
#: Points further from the body than this, in metres, do not pull.
_REACH = 0.15
#: So many points of a frame tell something of their own: a fold of cloth holds many.
_INDEPENDENT = 600.0


@dataclass(frozen=True, eq=False)
class Scan:
    """One frame: a person's surface, clothes and all, as points in the world.

    Raises InputError for shapes that do not fit, numbers that are not finite or beyond 10 km, and
    fewer than 100 points.
    """

    points: ArrayLike
    """[N, 3] metres."""
    normals: ArrayLike | None = None
    """[N, 3], outwards, of any length but 0."""
    skin: ArrayLike | None = None
    """[N] bool: the points that are known to be bare skin."""
    joints: SpacePoints | None = None
    """Where SMPL's 24 joints are, as well as that is known: the fit starts from them."""

    def __post_init__(self) -> None:
        points = finite("points", self.points, _FLOAT).copy()
        if points.ndim != 2 or points.shape[1] != 3 or len(points) < 100:
            raise InputError(f"points of shape {points.shape}: must be [N, 3], at least 100")
        if np.abs(points).max() > _FARTHEST:
            raise InputError(
                f"points further than {_FARTHEST:g} m from the origin: are they metres?"
            )
        object.__setattr__(self, "points", points)
        if self.normals is not None:
            normals = finite("normals", self.normals, _FLOAT)
            if normals.shape != points.shape:
                raise InputError(f"normals of shape {normals.shape} for points {points.shape}")
            lengths = np.linalg.norm(normals, axis=1, keepdims=True)
            if not (lengths > 0).all():
                raise InputError("a normal of length 0")
            object.__setattr__(self, "normals", normals / lengths)
        skin = np.zeros(len(points), bool) if self.skin is None else np.asarray(self.skin)
        if skin.shape != (len(points),) or skin.dtype != np.bool_:
            raise InputError(f"skin is {skin.dtype} {skin.shape}: must be bool [{len(points)}]")
        object.__setattr__(self, "skin", skin.copy())

    def sample(self, count: int) -> Scan:
        """At most so many of the points, drawn evenly, always the same ones."""
        points = np.asarray(self.points)
        if len(points) <= count:
            return self
        chosen = np.random.default_rng(0).choice(len(points), count, replace=False)
        normals = None if self.normals is None else np.asarray(self.normals)[chosen]
        return Scan(points[chosen], normals, np.asarray(self.skin)[chosen], self.joints)


@dataclass(frozen=True, eq=False)
class ScanProblem:
    """F frames of one person."""

    model: BodyModel
    fans: Fans
    scans: tuple[Scan, ...]
    before: tuple[Problem, ...]
    """[F]: what is likely before any point is seen, and the joints where they are given."""
    noise: float
    thickest: float

    def energy(self, guesses: Guesses, blur: float) -> Quadratic:
        """Of F guesses with the same betas, one for each frame; `blur` metres add to the noise.

        The sum over frames is that of all; what is known of shapes counts once.
        """
        parts = [
            self._frame(frame, guesses.of(slice(frame, frame + 1)), blur)
            for frame in range(len(self.scans))
        ]
        return Quadratic(
            *(np.concatenate([getattr(part, name) for part in parts])
              for name in ("energy", "gradient", "hessian"))
        )  # fmt: skip

    def _frame(self, frame: int, guess: Guesses, blur: float) -> Quadratic:
        before = self.before[frame].energy(guess, blur)
        less = 1 - 1 / len(self.scans)
        before.energy[0] -= less * 0.5 * np.sum(guess.betas**2)
        shape = np.arange(guess.layout.size)[guess.layout.shape]
        before.gradient[:, shape] -= less * guess.betas
        before.hessian[:, shape, shape] -= less
        return before + self._points(self.scans[frame], guess, blur)

    def _points(self, scan: Scan, guess: Guesses, blur: float) -> Quadratic:
        posed = guess.posed(self.model)
        near = nearest(self.fans, scan, posed.vertices()[0])
        noise = float(np.hypot(self.noise, blur))
        # At the reach the energy has the same value as further away.
        distance = np.clip(near.distance, -_REACH, _REACH)
        energy, slope, curvature = (
            np.where(np.asarray(scan.skin), bare, clothed)
            for bare, clothed in zip(
                Bare(noise)(distance), Clothed(noise, self.thickest)(distance), strict=True
            )
        )
        close = np.abs(near.distance) < _REACH
        slope, curvature = close * slope, close * curvature
        jacobian = vertex_jacobian(posed)
        by_step = distances_by_step(guess, near, jacobian.by_pose[0], jacobian.by_shape[0])
        weight = min(1.0, _INDEPENDENT / len(energy))
        return Quadratic(
            weight * np.sum(energy)[None],
            weight * (slope @ by_step)[None],
            weight * ((by_step.T * curvature) @ by_step)[None],
        )


def nearest(fans: Fans, scan: Scan, vertices: Array) -> Nearest:
    """The points of a body's surface that are nearest to those of a scan."""
    from bitpose.render._shade import vertex_normals

    normals = vertex_normals(vertices, fans.faces).astype(np.float64)
    facing = None if scan.normals is None else np.asarray(scan.normals)
    return fans.nearest(np.asarray(scan.points), vertices, normals, facing)


def distances_by_step(guess: Guesses, near: Nearest, by_pose: Array, by_shape: Array) -> Array:
    """[N, P]: derivatives of signed distances by the steps of one guess, from those of vertices,
    [V, 3, J, 3] and [V, 3, B]. A nearest point may slide; that changes no distance.
    """
    at: Layout = guess.layout
    by_turn = np.zeros((len(near.distance), *by_pose.shape[2:]))
    result = np.zeros((len(by_turn), at.size))
    for corner in range(3):
        pull = -near.direction * near.barycentrics[:, corner, None]
        vertex = near.corners[:, corner]
        by_turn += np.einsum("nc,ncja->nja", pull, by_pose[vertex])
        result[:, at.shape] += np.einsum("nc,ncb->nb", pull, by_shape[vertex])
    result[:, at.root] = by_turn[:, 0]
    turned = by_turn[:, 1:, None] @ right_jacobian(guess.body_pose[0])
    result[:, at.body] = turned.reshape(len(by_turn), -1)
    result[:, at.translation] = -near.direction
    return result
