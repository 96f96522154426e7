# SPDX-License-Identifier: Apache-2.0
"""Scans of clothed people whose bodies are known, from seeds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body import BodyModel, PosedBody, default_surface
from bitpose.body.charts import PART_NAMES
from bitpose.body.fit import SpacePoints
from bitpose.body.fit.scan import Scan
from bitpose.body.fit.scan.closest import Fans
from bitpose.body.rotations import axis_angle_to_matrix
from bitpose.render._shade import vertex_normals

Array = NDArray[Any]

#: Metres: of the cloth, of points, of the joints that are given.
THICKEST, NOISE, JOINT_NOISE = 0.04, 0.002, 0.015
POINTS = 6000
#: Metres from a fold to the next, and how many waves make a field.
_WAVELENGTHS, _WAVES = (0.25, 0.7), 24
#: Metres in which the cloth rises from the skin to its thickness, at its edge.
_HEM = 0.06


@dataclass(frozen=True, eq=False)
class Frame:
    """A scan and the body beneath."""

    body: PosedBody
    scan: Scan


def person(poses: Array, seed: tuple[int, ...], bare: bool = True) -> list[Frame]:
    """Frames of one person of random shape in `poses` [F, 24, 3], each with a field of cloth of its
    own. Head, hands and feet are `bare`, and labelled so, or the cloth covers them as well.
    """
    rng = np.random.default_rng(seed)
    model = BodyModel.load(dtype=np.float64)
    shaped = model.with_shape(np.clip(rng.normal(0, 1, model.num_betas), -2.5, 2.5))
    return [
        _frame(shaped.with_pose(axis_angle_to_matrix(pose), rng.normal(0, 0.3, 3)), rng, bare)
        for pose in poses
    ]


def _frame(body: PosedBody, rng: np.random.Generator, bare: bool) -> Frame:
    """Points spread evenly over the cloth, with noise of their own and of the joints."""
    model, vertices = body.shaped.model, body.vertices()
    offsets = THICKEST * field(model.v_template, rng) * (_covered(model) if bare else 1)
    normals = vertex_normals(vertices, model.faces).astype(np.float64)
    cloth = vertices + offsets[:, None] * normals
    corners = cloth[model.faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(across, axis=1)
    chosen = rng.choice(len(area), POINTS, p=area / area.sum())
    weights = rng.dirichlet(np.ones(3), POINTS)
    points = np.einsum("nk,nkc->nc", weights, corners[chosen])
    of_cloth = vertex_normals(cloth, model.faces)[model.faces[chosen]]
    facing = np.einsum("nk,nkc->nc", weights, of_cloth)
    skin = offsets[model.faces[chosen]].max(axis=1) == 0
    # Where limbs touch, the cloth of one would lie in the other.
    near = Fans.of(model.faces, len(vertices)).nearest(points, vertices, normals)
    seen = near.distance >= -1e-4
    joints = body.t_world_joint + rng.normal(0, JOINT_NOISE, body.t_world_joint.shape)
    scan = Scan(
        (points + rng.normal(0, NOISE, points.shape))[seen],
        facing[seen],
        skin[seen],
        SpacePoints(joints, np.ones(len(joints)), JOINT_NOISE),
    )
    return Frame(body, scan)


def field(rest: Array, rng: np.random.Generator) -> Array:
    """[V]: smooth over the body at rest; of its values from 0 to 1 none is more frequent."""
    directions = rng.normal(size=(_WAVES, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    frequencies = 2 * np.pi / rng.uniform(*_WAVELENGTHS, _WAVES)
    phases = rng.uniform(0, 2 * np.pi, _WAVES)
    waves = np.cos(rest @ (directions * frequencies[:, None]).T + phases).sum(axis=1)
    ranks = np.argsort(np.argsort(waves, kind="stable"), kind="stable")
    return np.asarray(ranks / (len(ranks) - 1))


@cache
def _bare_parts() -> NDArray[np.int32]:
    """The vertices of head, hands and feet."""
    charts = default_surface.load().charts
    parts = [i for i, name in enumerate(PART_NAMES, start=1)
             if any(word in name for word in ("head", "hand", "foot"))]  # fmt: skip
    return np.unique(charts.faces[np.isin(charts.parts, parts)])


def _covered(model: BodyModel) -> Array:
    """[V]: 0 on bare skin, rising to 1."""
    from scipy.spatial import cKDTree

    away, _ = cKDTree(model.v_template[_bare_parts()]).query(model.v_template)
    share = np.clip(away / _HEM, 0, 1)
    return np.asarray(share**2 * (3 - 2 * share))
