# SPDX-License-Identifier: Apache-2.0
"""Where fits start: the body in its mean pose, turned to several headings, in front of a camera."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.fit.landmarks import Landmarks
from bitpose.body.fit.likelihood import Sighting
from bitpose.body.fit.parameters import Guesses
from bitpose.body.fit.views import SpacePoints, View
from bitpose.body.rotations import axis_angle_to_matrix

Array = NDArray[Any]

#: From the body's axes (y up, z ahead) to those of a camera that it looks into.
_FACING = np.diag([1.0, -1.0, -1.0])
#: A guess is at least this far from the camera, in metres.
_NEAREST = 0.5


def in_front_of(sighting: Sighting, body_pose: Array, log_focal: float, headings: int) -> Guesses:
    """Guesses for `body_pose` [M, J - 1, 3] and each of so many headings, M times as many.

    Roll, depth and place follow from the best similarity in the picture: of a body that is as flat
    as it is far away.
    """
    view, landmarks = sighting.view, sighting.landmarks
    poses = np.repeat(body_pose, headings, axis=0)
    turns = np.tile(np.arange(headings) * (2 * np.pi / headings), len(body_pose))
    about_y = axis_angle_to_matrix(turns[:, None] * np.array([0.0, 1.0, 0.0]))
    count = len(poses)
    guesses = Guesses(
        _FACING @ about_y,
        poses,
        np.zeros((count, 3)),
        np.zeros((count, len(landmarks.skeleton.shapedirs))),
        np.full(count, log_focal),
    )
    focal = float(np.exp(log_focal)) if view.focal is None else view.focal
    points = landmarks.positions(guesses.posed(landmarks.skeleton))
    weights = sighting.confidence / sighting.confidence.sum()
    middle, target = weights @ points, weights @ sighting.pixels
    flat = points[..., :2] - middle[:, None, :2]
    away = sighting.pixels - target
    dot = np.sum(weights[:, None] * flat * away, axis=(1, 2))
    cross = np.sum(weights * (flat[..., 0] * away[:, 1] - flat[..., 1] * away[:, 0]), axis=1)
    roll = np.arctan2(cross, dot)
    size = np.sum(weights[:, None] * flat**2, axis=(1, 2))
    scale = np.sqrt(np.sum(weights[:, None] * away**2) / np.maximum(size, 1e-6))
    R_rolled = axis_angle_to_matrix(roll[:, None] * np.array([0.0, 0.0, 1.0]))
    depth = np.maximum(focal / np.maximum(scale, 1e-9), _NEAREST)
    ray = np.append((target - np.asarray(view.center)) / focal, 1)
    root = landmarks.skeleton.J_template[0]
    # The translation that takes the middle, turned about the root, onto the ray.
    turned = (R_rolled @ (middle - root)[..., None])[..., 0]
    in_view = depth[:, None] * ray - turned
    R_world_view = np.asarray(view.R_view_world).T
    return Guesses(
        R_world_view @ R_rolled @ guesses.R_world_root,
        poses,
        (in_view - np.asarray(view.t_view_world)) @ R_world_view.T - root,
        guesses.betas,
        guesses.log_focal,
    )


def triangulated(views: tuple[View, ...], log_focal: float) -> SpacePoints:
    """Keypoints in space, each where it is nearest to the rays of the views that saw it; those that
    fewer than two saw have no confidence.
    """
    seen = np.array([np.asarray(view.confidence) > 0 for view in views])
    moment, pull = np.zeros((seen.shape[1], 3, 3)), np.zeros((seen.shape[1], 3))
    for view, visible in zip(views, seen, strict=True):
        R = np.asarray(view.R_view_world)
        focal = float(np.exp(log_focal)) if view.focal is None else view.focal
        plane = (np.asarray(view.keypoints) - np.asarray(view.center)) / focal
        rays = np.concatenate([plane, np.ones((len(plane), 1))], axis=1) @ R
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        across = (np.eye(3) - rays[:, :, None] * rays[:, None, :]) * visible[:, None, None]
        moment += across
        pull -= across @ (R.T @ np.asarray(view.t_view_world))
    twice = seen.sum(axis=0) >= 2
    moment[~twice] = np.eye(3)
    # Rays of one place are parallel: any point of them will do for a start.
    points = np.linalg.solve(moment + 1e-9 * np.eye(3), pull[..., None])[..., 0]
    return SpacePoints(points, twice.astype(np.float64))


def around(space: SpacePoints, landmarks: Landmarks, body_pose: Array, log_focal: float) -> Guesses:
    """One guess for each `body_pose` [M, J - 1, 3], laid over points in space (Kabsch)."""
    count = len(body_pose)
    guesses = Guesses(
        np.tile(np.eye(3), (count, 1, 1)),
        body_pose,
        np.zeros((count, 3)),
        np.zeros((count, len(landmarks.skeleton.shapedirs))),
        np.full(count, log_focal),
    )
    points = landmarks.positions(guesses.posed(landmarks.skeleton))
    target, confidence = np.asarray(space.positions), np.asarray(space.confidence)
    weights = confidence / confidence.sum()
    middle = weights @ points
    goal = weights @ target
    moment = np.swapaxes((points - middle[:, None]) * weights[:, None], 1, 2) @ (target - goal)
    left, _, right = np.linalg.svd(moment)
    sign = np.linalg.det(left) * np.linalg.det(right)
    left[..., -1] *= sign[:, None]
    R = np.swapaxes(left @ right, 1, 2)
    root = landmarks.skeleton.J_template[0]
    turned = (R @ (middle - root)[..., None])[..., 0]
    return Guesses(R, body_pose, goal - turned - root, guesses.betas, guesses.log_focal)
