# SPDX-License-Identifier: Apache-2.0
"""Capsules in place of a body's parts, and the energy of parts that are in each other's place.

A capsule is what lies within a radius of a segment. Its ends are weighted means of a part's
vertices, its radius is their mean distance from the segment between; both are linear in the betas,
the radius to first order. Ends are fixed to one bone, so they are landmarks. Limbs have their
segment along the bone, pieces of the trunk, which is wide and flat, across.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.fit.landmarks import Landmarks, Posture
from bitpose.body.fit.likelihood import derivatives, posture
from bitpose.body.fit.parameters import Guesses
from bitpose.body.fit.solve import Quadratic
from bitpose.body.layout import SMPL_JOINTS
from bitpose.body.model import BodyModel
from bitpose.body.rotations import axis_angle_to_matrix

Array = NDArray[Any]
Index = NDArray[Any]

_SIDES = ("left", "right")
#: Parts by the bone that carries them; their vertices are those that it and the rest move most.
_PARTS: tuple[tuple[str, ...], ...] = (
    *(("pelvis",), ("spine1",), ("spine2",), ("spine3",), ("head",)),
    *((f"{side}_{bone}",) for side in _SIDES for bone in ("hip", "knee", "shoulder", "elbow")),
    *((f"{side}_ankle", f"{side}_foot") for side in _SIDES),
    *((f"{side}_wrist", f"{side}_hand") for side in _SIDES),
)
#: A part with fewer vertices has no capsule.
_FEWEST = 12
#: The share of a part's vertices that lie beyond either end of its capsule.
_TIP = 0.03
#: Standard deviation, in metres, of how far capsules reach into each other.
_DEPTH = 0.01


@dataclass(frozen=True, eq=False)
class Capsules:
    """C capsules of a body."""

    ends: Landmarks
    """2 C: the first ends of all, then the second."""
    radius: Array
    """[C] metres, of no betas."""
    radius_by_shape: Array
    """[C, B]."""
    pairs: Index
    """[2, N]: capsules that may not overlap by more than `slack`."""
    slack: Array
    """[N] metres: flesh that gives way."""

    @classmethod
    def of_body(cls, model: BodyModel, poses: Array) -> Capsules | None:
        """Of a body with SMPL's joints; None unless two of its parts have vertices. What overlaps
        at rest and in `poses` [M, J - 1, 3] may do so as far.
        """
        skin = np.take_along_axis(
            model.skin.bones, model.skin.weights.argmax(axis=1)[:, None], axis=1
        )[:, 0]
        inside = {part: np.flatnonzero(np.isin(skin, _bones(part))) for part in _PARTS}
        parts = [part for part in _PARTS if len(inside[part]) >= _FEWEST]
        if len(parts) < 2:
            return None
        fitted = [_fitted(model, inside[part], part) for part in parts]
        parameters = np.stack([one[0] for one in fitted])
        by_shape = np.stack([one[1] for one in fitted])
        bones = np.array([_bones(part)[0] for part in parts])
        ends = Landmarks.of_bones(
            model,
            np.tile(bones, 2),
            np.concatenate([parameters[:, :3], parameters[:, 3:6]]),
            np.concatenate([by_shape[:, :3], by_shape[:, 3:6]]),
        )
        pairs = _apart(model, bones)
        every = cls(ends, parameters[:, 6], by_shape[:, 6], pairs, np.zeros(pairs.shape[1]))
        return replace(every, slack=every._overlap_at_rest(model, poses))

    def energy(self, guesses: Guesses, at_guesses: Posture | None = None) -> Quadratic:
        """Half the square of how far each pair overlaps, beyond its slack, in deviations.

        `at_guesses` is the posture of the guesses, where it is known.
        """
        at, count = guesses.layout, len(guesses)
        points, by_step = derivatives(
            self.ends, guesses, at_guesses or posture(self.ends.skeleton, guesses)
        )
        depth, share, direction = self._overlaps(points, guesses.betas)
        depth = depth - self.slack
        energy = 0.5 * np.sum(np.maximum(depth, 0) ** 2, axis=1) / _DEPTH**2
        gradient, hessian = np.zeros((count, at.size)), np.zeros((count, at.size, at.size))
        for guess in range(count):
            active = np.flatnonzero(depth[guess] > 0)
            if not len(active):
                continue
            # The points of both axes that are nearest stay so to first order.
            apart = _between(by_step[guess], self.pairs[:, active], share[:, guess, active])
            rows = -np.einsum("nc,ncp->np", direction[guess, active], apart)
            rows[:, at.shape] += self.radius_by_shape[self.pairs[:, active]].sum(axis=0)
            gradient[guess] = rows.T @ depth[guess, active] / _DEPTH**2
            hessian[guess] = rows.T @ rows / _DEPTH**2
        return Quadratic(energy, gradient, hessian)

    def _overlaps(self, points: Array, betas: Array) -> tuple[Array, Array, Array]:
        """How deep pairs overlap [G, N], negative where they do not; where on their axes they are
        nearest [2, G, N]; and the direction from the second to the first there [G, N, 3].
        """
        first, second = self.pairs
        count = len(self.radius)
        p, q = points[:, first], points[:, second]
        along_p, along_q = points[:, count + first] - p, points[:, count + second] - q
        s, t = _nearest(p - q, along_p, along_q)
        apart = p + s[..., None] * along_p - q - t[..., None] * along_q
        distance = np.linalg.norm(apart, axis=-1)
        radius = self.radius + betas @ self.radius_by_shape.T
        depth = radius[:, first] + radius[:, second] - distance
        return depth, np.stack([s, t]), apart / np.maximum(distance, 1e-9)[..., None]

    def _overlap_at_rest(self, model: BodyModel, poses: Array) -> Array:
        """[N]: the most in any of the poses."""
        every = np.concatenate([np.zeros((1, *poses.shape[1:])), poses])
        rotations = np.concatenate([np.zeros((len(every), 1, 3)), every], axis=1)
        betas = np.zeros((len(every), len(model.shapedirs)))
        posed = self.ends.skeleton.with_shape(betas).with_pose(axis_angle_to_matrix(rotations))
        depth = self._overlaps(self.ends.positions(posed), betas)[0]
        return np.asarray(np.maximum(depth, 0).max(axis=0))


def _apart(model: BodyModel, bones: Index) -> Index:
    """[2, N]: pairs of parts that do not hang on each other; the trunk's pieces are one part."""
    root = SMPL_JOINTS.index("pelvis")
    hangs_on = []
    for bone in bones.tolist():
        above = int(model.parents[bone])
        while above >= 0 and above not in bones:
            above = int(model.parents[above])
        hangs_on.append(root if _is_trunk(above) else above)
    part = np.array([root if _is_trunk(bone) else bone for bone in bones.tolist()])
    first, second = np.triu_indices(len(bones), 1)
    parent = np.array(hangs_on)
    joined = (parent[first] == part[second]) | (parent[second] == part[first])
    return np.stack([first, second])[:, ~(joined | (part[first] == part[second]))]


def _is_trunk(bone: int) -> bool:
    return bone >= 0 and SMPL_JOINTS[bone] in ("pelvis", "spine1", "spine2", "spine3")


def _between(by_step: Array, pairs: Index, share: Array) -> Array:
    """[N, 3, P]: derivatives of the vectors between points on the axes of pairs [2, N], from those
    of the ends [2 C, 3, P].
    """
    count = len(by_step) // 2
    (first, second), (s, t) = pairs, share[..., None, None]
    near = (1 - s) * by_step[first] + s * by_step[count + first]
    return np.asarray(near - (1 - t) * by_step[second] - t * by_step[count + second])


def _nearest(apart: Array, a: Array, b: Array) -> tuple[Array, Array]:
    """Where segments p + s a and q + t b, `apart` = p - q, are nearest: s and t in [0, 1]."""
    aa, bb, ab = (np.sum(x * y, axis=-1) for x, y in ((a, a), (b, b), (a, b)))
    ca, cb = np.sum(a * apart, axis=-1), np.sum(b * apart, axis=-1)
    span = aa * bb - ab * ab
    s = np.where(span > 1e-9 * aa * bb, (ab * cb - ca * bb) / np.maximum(span, 1e-30), 0)
    t = (ab * np.clip(s, 0, 1) + cb) / bb
    s = np.clip((np.clip(t, 0, 1) * ab - ca) / aa, 0, 1)
    return s, np.asarray(np.clip((ab * s + cb) / bb, 0, 1))


def _bones(part: tuple[str, ...]) -> list[int]:
    return [SMPL_JOINTS.index(name) for name in part]


def _fitted(model: BodyModel, inside: Index, part: tuple[str, ...]) -> tuple[Array, Array]:
    """Ends and radius of the capsule of a part with vertices `inside`, [7], in the frame of its
    first bone at rest, and how they change with the betas, [7, B].
    """
    bones = _bones(part)
    vertices = model.v_template[inside] - model.J_template[bones[0]]
    moved = model.shapedirs[:, inside] - model.J_shapedirs[:, bones[:1]]  # [B, V, 3]
    means = _means_at_ends(vertices, _axis(model, bones[0], vertices.mean(axis=0)))
    a, b = means @ vertices
    share = np.clip((vertices - a) @ (b - a) / np.sum((b - a) ** 2), 0, 1)
    arms = vertices - a - share[:, None] * (b - a)
    across = np.linalg.norm(arms, axis=1)
    side = (share > 0) & (share < 1)
    normals = (arms / np.maximum(across, 1e-9)[:, None])[side]
    a_moved, b_moved = np.moveaxis(means @ moved, 1, 0)  # [B, 3]
    of_axis = a_moved[:, None] + share[side][:, None] * (b_moved - a_moved)[:, None]
    of_radius = np.sum(normals * (moved[:, side] - of_axis), axis=-1).mean(axis=1)
    return (
        np.concatenate([a, b, [across[side].mean()]]),
        np.concatenate([a_moved.T, b_moved.T, of_radius[None]]),
    )


def _axis(model: BodyModel, bone: int, middle: Array) -> Array:
    """Unit vector: to the middle of a limb's part from its joint, across for the trunk."""
    if _is_trunk(bone):
        left, right = (SMPL_JOINTS.index(f"{side}_hip") for side in _SIDES)
        middle = model.J_template[left] - model.J_template[right]
    return np.asarray(middle / np.linalg.norm(middle))


def _means_at_ends(vertices: Array, axis: Array) -> Array:
    """[2, V]: weights of vertices whose means are the ends of a capsule that reaches as far as
    they do. The means of either end's fifth are continued to there.
    """
    along = (vertices - vertices.mean(axis=0)) @ axis
    low, high = np.quantile(along, [0.2, 0.8])
    fifths = np.stack([along <= low, along >= high]).astype(float)
    fifths /= fifths.sum(axis=1, keepdims=True)
    from_end = vertices - (fifths @ vertices)[0]
    arms = from_end - np.outer(from_end @ axis, axis)
    radius = np.linalg.norm(arms, axis=1).mean()
    first, last = fifths @ along
    reach = np.quantile(along, [_TIP, 1 - _TIP]) + np.array([radius, -radius])
    middle = reach.mean()
    reach = np.stack([np.minimum(reach[0], middle - 0.01), np.maximum(reach[1], middle + 0.01)])
    share = (reach - first) / (last - first)
    return np.asarray(np.stack([1 - share, share], axis=1) @ fifths)
