# SPDX-License-Identifier: Apache-2.0
"""Pose blend shapes that give joints the shape which skinning takes from them.

For each joint some turns are posed by skinning and then repaired: as rigid as possible, with the
volume of the rest pose. What the repair adds, turned back into the rest pose, is fitted by ridge
regression on the 9 entries of R - I. Joints of the right side mirror those of the left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.layout import SMPL_JOINTS, SMPL_PARENTS
from bitpose.body.make.deform import as_rigid_as_possible, with_volume
from bitpose.body.make.pose import chain, skinned, transforms
from bitpose.body.make.surface import Surface
from bitpose.body.rotations import axis_angle_to_matrix

Array = NDArray[Any]

Turn = tuple[float, float, float]


def _swings(
    limb: Turn, zero: Turn, swings: tuple[tuple[float, float], ...], twists: tuple[float, ...]
) -> list[Array]:
    """Turns of a limb by each swing after each twist about itself, in degrees.

    A swing (towards, by) turns the limb by an angle in the direction that lies `towards` degrees
    from `zero`, counted about the limb.
    """
    along, first = np.array(limb), np.array(zero)
    second = np.cross(along, first)
    turns = []
    for towards, by in swings:
        angle = np.radians(towards)
        axis = np.cross(along, np.cos(angle) * first + np.sin(angle) * second)
        for twist in twists:
            swing = axis_angle_to_matrix(axis * np.radians(by))
            turns.append(swing @ axis_angle_to_matrix(along * np.radians(twist)))
    return turns


def _turns(*degrees: Turn) -> list[Array]:
    """Turns about x (to the left), y (up) and z (to the front)."""
    return [axis_angle_to_matrix(np.radians(turn)) for turn in degrees]


_DOWN, _LEFT, _UP, _FRONT = (0.0, -1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
_SPINE = ((35, 0, 0), (-25, 0, 0), (0, 0, 25), (0, 0, -25), (0, 30, 0), (0, -30, 0))
_NECK = ((35, 0, 0), (-35, 0, 0), (0, 0, 30), (0, 0, -30), (0, 45, 0), (0, -45, 0))

#: The turns of each joint that are repaired, up to the limits of what people do.
_TURNS: dict[str, list[Array]] = {
    # From the front over the left side to the back and to the right.
    "left_hip": _swings(
        _DOWN,
        _FRONT,
        (
            *((0, 0), (0, 50), (0, 95), (0, 130), (-45, 50), (-45, 95), (-45, 130), (-90, 35)),
            *((-90, 65), (-135, 35), (180, 30), (90, 20), (45, 60)),
        ),
        (-40, 0, 40),
    ),
    "left_knee": _turns(*((x, 0, 0) for x in (45, 90, 110, 130, 145)), (0, 20, 0), (0, -20, 0)),
    "left_ankle": _turns(
        *((-25, 0, 0), (25, 0, 0), (45, 0, 0), (0, 25, 0), (0, -25, 0), (0, 0, 20), (0, 0, -20))
    ),
    "left_foot": _turns((-35, 0, 0), (25, 0, 0)),
    "left_collar": _turns((0, 0, 20), (0, 0, -15), (0, 15, 0), (0, -20, 0)),
    # From above over the front to below and to the back.
    "left_shoulder": _swings(
        _LEFT,
        _UP,
        (
            *((0, 0), (0, 45), (0, 90), (45, 60), (45, 110), (90, 60), (90, 110), (135, 60)),
            *((135, 100), (180, 45), (180, 85), (225, 60), (270, 40), (315, 50)),
        ),
        (-80, 0, 50, 100),
    ),
    "left_elbow": _swings(
        _LEFT, _FRONT, ((0, 0), (0, 45), (0, 90), (0, 110), (0, 130), (0, 150)), (-40, 0, 40)
    ),
    "left_wrist": _turns(
        *((0, 0, 60), (0, 0, -60), (0, 30, 0), (0, -30, 0), (60, 0, 0), (-60, 0, 0))
    ),
    "left_hand": _turns((0, 0, -45), (0, 0, -90), (0, 0, 20)),
    "spine1": _turns(*_SPINE),
    "spine2": _turns(*_SPINE),
    "spine3": _turns(*_SPINE),
    "neck": _turns(*_NECK),
    "head": _turns(*_NECK),
}
_RIDGE = 0.1
_PULL = 0.02
#: Vertices that no repair moves farther than this, metres, are left out.
_LEAST = 4e-4


@dataclass(frozen=True, eq=False)
class Rig:
    """The skin in the zero pose, and how it follows the joints."""

    surface: Surface
    weights: Array
    """[V, 24]."""
    joints: Array
    """[24, 3]."""
    mirror: NDArray[np.int64]
    """[V]."""

    def posed(self, joint: int, turn: Array) -> tuple[Array, tuple[Array, Array]]:
        """The skin under one turned joint, by skinning alone, and the transforms."""
        local = np.tile(np.eye(3), (len(SMPL_JOINTS), 1, 1))
        local[joint] = turn
        moved = transforms(chain(local), self.joints)
        return skinned(self.surface.rest, self.weights, moved), moved


def solve(rig: Rig) -> Array:
    """posedirs [V, 3, 207] of the skin."""
    flip = np.array([-1.0, 1.0, 1.0])
    signs = (flip[:, None] * flip[None, :]).ravel()
    dirs = np.zeros((len(rig.weights), 3, 9 * len(SMPL_JOINTS)))
    for name, turns in _TURNS.items():
        joint = SMPL_JOINTS.index(name)
        solved = _of_joint(rig, joint, turns)
        mirrored = solved[rig.mirror] * flip[None, :, None] * signs
        other = SMPL_JOINTS.index(name.replace("left", "right"))
        if other == joint:
            solved = mirrored = (solved + mirrored) / 2
        dirs[:, :, 9 * joint : 9 * joint + 9] = solved
        dirs[:, :, 9 * other : 9 * other + 9] = mirrored
    return dirs[:, :, 9:]


def _of_joint(rig: Rig, joint: int, turns: list[Array]) -> Array:
    """[V, 3, 9]."""
    free, share = _region(rig, joint)
    wanted = np.stack([_repair(rig, joint, turn, free, share) for turn in turns])
    features = np.stack([(turn - np.eye(3)).ravel() for turn in turns])
    normal = features.T @ features + _RIDGE * np.eye(9)
    solved = np.linalg.solve(normal, features.T @ wanted.reshape(len(turns), -1))
    solved[:, np.repeat(~free, 3)] = 0
    dirs = solved.reshape(9, -1, 3).transpose(1, 2, 0)
    moved = np.linalg.norm(np.einsum("vcf,tf->tvc", dirs, features), axis=2).max(axis=0)
    return np.asarray(dirs * _fade(moved)[:, None, None])


def _fade(moved: Array) -> Array:
    """0 up to `_LEAST`, 1 from twice that, without a step between."""
    return np.clip(moved / _LEAST - 1, 0, 1)


def _region(rig: Rig, joint: int) -> tuple[NDArray[np.bool_], Array]:
    """Which vertices a joint's repair may move, and each one's share of lost volume in [0, 1]."""
    moves = rig.weights[:, _branch(joint)].sum(axis=1)
    share = 4 * moves * (1 - moves)
    for _ in range(4):
        share = np.maximum(share, rig.surface.mean_around(share[:, None])[:, 0])
    free = share > 1e-3
    return free, share


def _branch(joint: int) -> list[int]:
    below = [joint]
    for child, parent in enumerate(SMPL_PARENTS):
        if parent in below:
            below.append(child)
    return below


def _repair(rig: Rig, joint: int, turn: Array, free: NDArray[np.bool_], share: Array) -> Array:
    """[V, 3]: what the skin of a turned joint lacks, in the axes of the rest pose."""
    plain, (rotations, _) = rig.posed(joint, turn)
    surface = rig.surface
    repaired = as_rigid_as_possible(surface, plain, free, _PULL)
    repaired = with_volume(surface, repaired, surface.volume(surface.rest), share)
    blended = np.einsum("vj,jrc->vrc", rig.weights, rotations)
    return np.linalg.solve(blended, (repaired - plain)[..., None])[..., 0]


def examples() -> Array:
    """[S, 24, 3, 3]: the turns that were repaired, of both sides at once."""
    flip = np.diag([-1.0, 1.0, 1.0])
    poses = []
    for name, turns in _TURNS.items():
        for turn in turns:
            pose = np.tile(np.eye(3), (len(SMPL_JOINTS), 1, 1))
            pose[SMPL_JOINTS.index(name.replace("left", "right"))] = flip @ turn @ flip
            pose[SMPL_JOINTS.index(name)] = turn
            poses.append(pose)
    return np.stack(poses)
