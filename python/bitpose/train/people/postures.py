# SPDX-License-Identifier: Apache-2.0
"""Postures that motion capture lacks: sitting, kneeling, crouching, lying and reaching people.

Angles are radians in the joints' own frames at rest: x to the person's left, y up, z forward.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body import SMPL_JOINTS
from bitpose.body.rotations import axis_angle_to_matrix

Array = NDArray[Any]

_JOINT = {name: index for index, name in enumerate(SMPL_JOINTS)}
_SIDES = (("left", 1.0), ("right", -1.0))
_KINDS = ("chair", "floor", "tailor", "crouch", "kneel", "supine", "prone")
_SHARES = (0.4, 0.09, 0.06, 0.1, 0.15, 0.13, 0.07)


class Rest(Enum):
    """What bears a person."""

    FEET = "feet"
    """The lowest point of the body; they balance by themselves."""
    SEAT = "seat"
    """Something below the pelvis."""
    GROUND = "ground"
    """The ground below several points; they would fall until that is so."""


@dataclass(frozen=True, eq=False)
class Pose:
    R_parent_joint: Array
    """[24, 3, 3]."""
    rest: Rest


def composed(R_parent_joint: Array, random: np.random.Generator) -> Pose:
    """Legs and trunk of someone who sits, kneels, crouches or lies; arms and head of a pose,
    or arms as such people often hold them."""
    kind = _KINDS[random.choice(len(_KINDS), p=_SHARES)]
    pose = R_parent_joint.copy()
    lean = random.normal(*_LEANS[kind])
    pose[0] = _turn(x=lean) @ _turn(z=random.normal(0, 0.08))
    both = random.normal(0, 1, 2)
    for side, sign in _SIDES:
        # Legs are rarely alike, and rarely quite unlike.
        own = 0.7 * both + 0.7 * random.normal(0, 1, 2)
        _bend_leg(pose, side, sign, _LEGS[kind], own, lean, random)
    if kind in _LYING:
        _lay_down(pose, _LYING[kind], random)
    if random.random() < _OWN_ARMS:
        _place_arms(pose, kind, random)
    return Pose(pose, _RESTS.get(kind, Rest.GROUND))


def reaching(R_parent_joint: Array, random: np.random.Generator) -> Array:
    """One arm goes anywhere before the body or above it."""
    side, sign = _SIDES[random.integers(2)]
    pose = R_parent_joint.copy()
    ahead, up = random.uniform(-0.3, 1.6), random.uniform(-0.9, 1.3)
    pose[_JOINT[f"{side}_shoulder"]] = _turn(y=-sign * ahead) @ _turn(z=sign * up)
    pose[_JOINT[f"{side}_elbow"]] = _turn(y=-sign * abs(random.normal(0, 0.6)))
    return pose


#: How far who lies is turned onto their front, about the axis to the left.
_LYING = {"supine": -np.pi / 2, "prone": np.pi / 2}
_RESTS = {"chair": Rest.SEAT, "crouch": Rest.FEET}
#: Mean and standard deviation of the pelvis' lean forwards.
_LEANS = {
    "chair": (0.0, 0.2),
    "floor": (-0.15, 0.2),
    "tailor": (0.05, 0.12),
    "crouch": (0.45, 0.2),
    "kneel": (0.1, 0.2),
    "supine": (0.0, 0.1),
    "prone": (0.0, 0.1),
}
#: Of hips and knees: how far they bend, and its standard deviation; how far thighs spread, and turn
#: about themselves.
_LEGS = {
    "chair": (1.5, 0.15, 1.45, 0.35, 0.15, 0.1),
    "floor": (1.3, 0.35, 0.8, 0.7, 0.15, 0.15),
    "tailor": (1.45, 0.1, 2.1, 0.15, 0.75, 1.1),
    "crouch": (1.7, 0.25, 2.1, 0.3, 0.3, 0.0),
    "kneel": (0.3, 0.4, 2.0, 0.3, 0.1, 0.0),
    "supine": (0.3, 0.35, 0.5, 0.5, 0.1, 0.1),
    "prone": (0.05, 0.15, 0.2, 0.4, 0.15, 0.1),
}
#: The share of composed people whose arms are no captured ones.
_OWN_ARMS = 0.6


def _bend_leg(
    pose: Array,
    side: str,
    sign: float,
    angles: tuple[float, ...],
    own: Array,
    lean: float,
    random: np.random.Generator,
) -> None:
    hip, hip_deviation, knee, knee_deviation, spread, axial = angles
    bend = hip + hip_deviation * own[0] + lean
    outward = sign * (spread + abs(random.normal(0, 0.12)))
    about = sign * (axial + random.normal(0, 0.12))
    pose[_JOINT[f"{side}_hip"]] = _turn(y=outward) @ _turn(x=-bend) @ _turn(y=about)
    pose[_JOINT[f"{side}_knee"]] = _turn(x=np.clip(knee + knee_deviation * own[1], 0.0, 2.5))
    pose[_JOINT[f"{side}_ankle"]] = _turn(x=random.normal(0, 0.2))


def _lay_down(pose: Array, onto: float, random: np.random.Generator) -> None:
    """On the back or the front, or nearly on a side, the trunk about straight."""
    roll = random.normal(0, 0.25)
    if random.random() < 0.3:
        roll = random.choice([-1.3, 1.3])
    pose[0] = _turn(x=onto) @ _turn(y=roll)
    for name in ("spine1", "spine2", "spine3", "neck", "head"):
        pose[_JOINT[name]] = axis_angle_to_matrix(random.normal(0, 0.1, 3))


def _place_arms(pose: Array, kind: str, random: np.random.Generator) -> None:
    """In the lap, on the knees, propped up, or, of who lies, anywhere near the ground."""
    alike = random.normal(0, 1, 2)
    for side, sign in _SIDES:
        own = 0.6 * alike + 0.8 * random.normal(0, 1, 2)
        if kind in _LYING:
            up, ahead = 0.9 * own[0] - 0.3, abs(random.normal(0, 0.25))
            flexed = abs(random.normal(0.5, 0.6))
        elif kind in ("floor", "tailor") and random.random() < 0.4:
            up, ahead, flexed = -1.2, -0.6 + 0.15 * own[0], 0.1
        else:
            up, ahead = -1.2 + 0.1 * own[0], 0.35 + 0.3 * own[1]
            flexed = abs(random.normal(0.8, 0.45))
        shoulder = _turn(x=-ahead) @ _turn(z=sign * up)
        pose[_JOINT[f"{side}_collar"]] = np.eye(3)
        pose[_JOINT[f"{side}_shoulder"]] = shoulder
        pose[_JOINT[f"{side}_elbow"]] = _turn(y=-sign * flexed)


def _turn(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Array:
    """About one of the axes."""
    axis, angle = (0, x) if x else (1, y) if y else (2, z)
    c, s = np.cos(angle), np.sin(angle)
    rows = np.eye(3)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    rows[i, i] = rows[j, j] = c
    rows[i, j], rows[j, i] = -s, s
    return rows
