# SPDX-License-Identifier: Apache-2.0
"""People of known shape and pose before known cameras, from seeds: to calibrate and to measure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body import default_surface
from bitpose.body.fit.dense import DensePoints, sample_iuv
from bitpose.body.fit.make.clips import Clips
from bitpose.body.fit.views import View
from bitpose.body.model import BodyModel
from bitpose.body.rotations import axis_angle_to_matrix
from bitpose.render import Drawable, PerspectiveCamera, rasterize

Array = NDArray[Any]

#: Pixels from the crown of a standing person to the floor, and of the picture's side.
HEIGHT, SIDE = 256, 512
#: Metres that a standing person measures.
METRES = 1.7
#: Pixels: focal lengths are drawn from here.
FOCAL = (400, 1200)
#: Degrees: how far cameras look up (negative) or down, and how crooked they are held.
_ELEVATION, _ROLL = (-10, 25), 3


@dataclass(frozen=True, eq=False)
class Case:
    """A person in the world of the first camera."""

    keypoints: Array
    """[K, 3]."""
    joints: Array
    """[24, 3]."""
    R_parent_joint: Array
    """[24, 3, 3]."""
    betas: Array
    """[B]."""
    translation: Array
    """[3]."""
    focal: float
    side: tuple[Array, Array]
    """Rotation and translation from the world to a second camera, a quarter turn or so away."""

    def view(
        self,
        noise: float,
        rng: np.random.Generator,
        known_focal: bool = True,
        second: bool = False,
        dense: DensePoints | None = None,
    ) -> View:
        """Of the first or the second camera, with noise of so many pixels."""
        R, t = self.side if second else (np.eye(3), np.zeros(3))
        exact = View(
            np.zeros((len(self.keypoints), 2)),
            np.ones(len(self.keypoints)),
            (SIDE / 2, SIDE / 2),
            self.focal,
            R_view_world=R,
            t_view_world=t,
        )
        pixels = exact.project(self.keypoints[None], np.array([self.focal]))[0]
        return View(
            pixels + rng.normal(0, noise, pixels.shape),
            np.ones(len(pixels)),
            (SIDE / 2, SIDE / 2),
            self.focal if known_focal else None,
            max(noise, 0.05),
            R,
            t,
            dense,
        )

    def dense(
        self, noise: float, rng: np.random.Generator, count: int, wrong: float = 0
    ) -> DensePoints:
        """Points of what the first camera sees of the surface, as even over parts as `sample_iuv`
        has them; of a share `wrong`, the pixel is that of another one.
        """
        model, charts = BodyModel.load(dtype=np.float64), default_surface.load().charts
        body = model.with_shape(self.betas).with_pose(self.R_parent_joint, self.translation)
        camera = PerspectiveCamera(width=SIDE, height=SIDE, fx=self.focal, fy=self.focal)
        drawable = Drawable(charts.surface(), body.vertices(), back_faces=False)
        maps = rasterize([drawable], camera)
        exact = sample_iuv(charts, maps.part, maps.u, maps.v, count)
        pixels = np.array(exact.pixels)
        moved = np.flatnonzero(rng.random(len(pixels)) < wrong)
        pixels[moved] = pixels[rng.permutation(moved)]
        pixels += rng.normal(0, noise, pixels.shape)
        return replace(exact, pixels=pixels, noise=max(noise, 0.05))


def make(clips: Clips, held_out: bool, count: int, seed: int) -> list[Case]:
    """People in poses of one side of the split."""
    return people(clips.sample(held_out, count, seed), seed)


def people(poses: Array, seed: int) -> list[Case]:
    """People in `poses` [N, 24, 3] against a world with y up, of random shapes and headings before
    random cameras.
    """
    model = BodyModel.load(dtype=np.float64)
    regressor = model.keypoints["COCO-17"]
    used = regressor.used()
    small, regressor = model.at_vertices(used), regressor.within(used)
    rng = np.random.default_rng(seed)
    cases = []
    for pose in poses:
        betas = np.clip(rng.normal(0, 1, model.num_betas), -2.5, 2.5)
        focal = float(rng.uniform(*FOCAL))
        rotations = axis_angle_to_matrix(pose)
        rotations[0] = camera(rng) @ about(1, rng.uniform(0, 2 * np.pi)) @ rotations[0]
        distance = focal * METRES / HEIGHT
        place = np.array([*(rng.uniform(-0.1, 0.1, 2) * distance), distance])
        posed = small.with_shape(betas).with_pose(rotations, place)
        around = about(1, rng.choice([-1, 1]) * np.deg2rad(rng.uniform(60, 120)))
        points = regressor.positions(posed.vertices())
        middle = np.array([0, 0, distance])
        side = (around, middle - around @ place)
        cases.append(Case(points, posed.t_world_joint, rotations, betas, place, focal, side))
    return cases


def camera(rng: np.random.Generator) -> Array:
    """[3, 3] from a world with y up to a camera that is drawn."""
    flip = np.diag([1.0, -1.0, -1.0])
    elevation = np.deg2rad(rng.uniform(*_ELEVATION))
    return about(2, np.deg2rad(rng.normal(0, _ROLL))) @ about(0, elevation) @ flip


def about(axis: int, angle: float) -> Array:
    """[3, 3]: a turn about an axis, by its number."""
    return axis_angle_to_matrix(np.eye(3)[axis] * angle)
