# SPDX-License-Identifier: Apache-2.0
"""Held-out motion capture before a camera that stands still, frame by frame and together.

Captured frames are ten a second; for thirty a second two are put between each pair by Catmull-Rom
splines of angles, of the root's quaternions and of its place.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.fit import Fitter, View, fit_sequence
from bitpose.body.fit.make.cases import FOCAL, HEIGHT, METRES, SIDE, about, camera
from bitpose.body.fit.make.clips import Clips
from bitpose.body.rotations import (
    axis_angle_to_matrix,
    matrix_to_quaternion,
    quaternion_to_matrix,
)
from bitpose.metrics.points import acceleration_error, pa_mpjpe

Array = NDArray[Any]

#: Captured frames of each motion: three seconds.
CAPTURED, RATE = 30, 10


@dataclass(frozen=True, eq=False)
class Motion:
    """T frames of a person."""

    keypoints: Array
    """[T, K, 3]."""
    views: list[list[View]]
    rate: int


@dataclass(frozen=True)
class Figures:
    """Millimetres, metres / s^2 and CPU seconds a frame."""

    error: float
    acceleration: float
    seconds: float


def motions(clips: Clips, fitter: Fitter, between: int, noise: float, seed: int) -> list[Motion]:
    """One of each category that has so long a clip that was held out, with `between` frames from
    each captured one to the next.
    """
    chosen: dict[int, int] = {}
    for clip in np.unique(clips.clips[clips.held_out]).tolist():
        frames = clips.frames[clips.clips == clip][:CAPTURED]
        if len(frames) == CAPTURED and (np.diff(frames) == 1).all():
            chosen.setdefault(int(clips.categories[clips.clips == clip][0]), clip)
    return [_motion(clips, fitter, clip, between, noise, seed) for clip in chosen.values()]


def measure(fitter: Fitter, motion: Motion, together: bool) -> Figures:
    """Fits a motion."""
    start = time.process_time()
    if together:
        posed = [fit_sequence(fitter, motion.views, motion.rate).posed()]
    else:
        posed = [fitter.fit(views).posed() for views in motion.views]
    seconds = (time.process_time() - start) / len(motion.views)
    regressor = fitter.model.keypoints["COCO-17"]
    found = np.concatenate(
        [regressor.positions(one.vertices()).reshape(-1, 17, 3) for one in posed]
    )
    return Figures(
        pa_mpjpe(found, motion.keypoints),
        acceleration_error(found, motion.keypoints, motion.rate) / 1000,
        seconds,
    )


def _motion(
    clips: Clips, fitter: Fitter, clip: int, between: int, noise: float, seed: int
) -> Motion:
    rng = np.random.default_rng((seed, clip))
    rows = np.flatnonzero(clips.clips == clip)[:CAPTURED]
    rotations, place = _interpolated(clips.poses[rows], clips.translation[rows], between)
    focal = float(rng.uniform(*FOCAL))
    turned = camera(rng) @ about(1, rng.uniform(0, 2 * np.pi))
    rotations[:, 0] = turned @ rotations[:, 0]
    away = np.array([0, 0, focal * METRES / HEIGHT])
    place = (place - place.mean(axis=0)) @ turned.T + away
    model = fitter.model
    betas = np.clip(rng.normal(0, 1, model.num_betas), -2.5, 2.5)
    posed = model.with_shape(betas).with_pose(rotations, place)
    points = model.keypoints["COCO-17"].positions(posed.vertices())
    center, sure = (SIDE / 2, SIDE / 2), np.ones(points.shape[1])
    blank = View(np.zeros((len(sure), 2)), sure, center, focal)
    pixels = blank.project(points, np.full(len(points), focal))
    pixels = pixels + rng.normal(0, noise, pixels.shape)
    views = [[View(frame, sure, center, focal, noise)] for frame in pixels]
    return Motion(points, views, RATE * (between + 1))


def _interpolated(poses: Array, place: Array, between: int) -> tuple[Array, Array]:
    """[T, 24, 3, 3] and [T, 3]."""
    quaternions = matrix_to_quaternion(axis_angle_to_matrix(poses[:, 0]))
    for row in range(1, len(quaternions)):
        if quaternions[row] @ quaternions[row - 1] < 0:
            quaternions[row] *= -1
    root = _spline(quaternions, between + 1)
    root /= np.linalg.norm(root, axis=1, keepdims=True)
    body = axis_angle_to_matrix(_spline(poses[:, 1:], between + 1))
    rotations = np.concatenate([quaternion_to_matrix(root)[:, None], body], axis=1)
    return rotations, _spline(place, between + 1)


def _spline(x: Array, steps: int) -> Array:
    """[(N - 1) steps + 1, ...] through `x` [N, ...]."""
    last = len(x) - 1
    at = np.arange(last * steps + 1) / steps
    row = np.minimum(at.astype(int), last - 1)
    s = (at - row).reshape(-1, *(1,) * (x.ndim - 1))
    a, b, c, d = (x[np.clip(row + k, 0, last)] for k in (-1, 0, 1, 2))
    curve = 2 * a - 5 * b + 4 * c - d + s * (3 * (b - c) + d - a)
    return np.asarray(b + 0.5 * s * (c - a + s * curve))
