# SPDX-License-Identifier: Apache-2.0
"""Keypoint sets: the names in the order that networks give them, and the limbs between them."""

from __future__ import annotations

from dataclasses import dataclass

from bitpose.body.layout import SMPL_JOINTS, SMPL_PARENTS

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Limb:
    """A line from keypoint `start` to keypoint `end`, by index."""

    start: int
    end: int
    colour: Colour


@dataclass(frozen=True)
class Skeleton:
    """A set of keypoints. Left and right are the person's own."""

    name: str
    keypoints: tuple[str, ...]
    limbs: tuple[Limb, ...]

    def colour(self, keypoint: int) -> Colour:
        """The colour of the last limb that touches a keypoint: that of its own side."""
        colours = [limb.colour for limb in self.limbs if keypoint in (limb.start, limb.end)]
        return colours[-1] if colours else (255, 255, 255)


def _skeleton(name: str, keypoints: str, limbs: tuple[tuple[str, str, Colour], ...]) -> Skeleton:
    names = tuple(keypoints.split())
    index = {keypoint: i for i, keypoint in enumerate(names)}
    return Skeleton(
        name, names, tuple(Limb(index[start], index[end], colour) for start, end, colour in limbs)
    )


# Warm colours are the right side of the person, cold ones the left; outer parts are brighter.
_FACE = (214, 112, 214)
_TORSO = (120, 200, 80)
_NECK = (190, 190, 80)
_LEFT_ARM = ((30, 136, 229), (79, 195, 247))
_LEFT_LEG = ((0, 150, 136), (77, 208, 190))
_RIGHT_ARM = ((229, 57, 53), (255, 138, 101))
_RIGHT_LEG = ((245, 124, 0), (255, 202, 40))


def _sides() -> tuple[tuple[str, str, Colour], ...]:
    return (
        ("left_shoulder", "left_elbow", _LEFT_ARM[0]),
        ("left_elbow", "left_wrist", _LEFT_ARM[1]),
        ("right_shoulder", "right_elbow", _RIGHT_ARM[0]),
        ("right_elbow", "right_wrist", _RIGHT_ARM[1]),
        ("left_hip", "left_knee", _LEFT_LEG[0]),
        ("left_knee", "left_ankle", _LEFT_LEG[1]),
        ("right_hip", "right_knee", _RIGHT_LEG[0]),
        ("right_knee", "right_ankle", _RIGHT_LEG[1]),
    )


#: Of networks that give no keypoints.
NOTHING = Skeleton("nothing", (), ())

#: The 17 keypoints of COCO, in its order: MoveNet and most others.
COCO_17 = _skeleton(
    "COCO-17",
    "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow "
    "right_elbow left_wrist right_wrist left_hip right_hip left_knee right_knee left_ankle "
    "right_ankle",
    (
        ("left_shoulder", "right_shoulder", _TORSO),
        ("left_hip", "right_hip", _TORSO),
        ("left_shoulder", "left_hip", _TORSO),
        ("right_shoulder", "right_hip", _TORSO),
        ("nose", "left_eye", _FACE),
        ("nose", "right_eye", _FACE),
        ("left_eye", "left_ear", _FACE),
        ("right_eye", "right_ear", _FACE),
        *_sides(),
    ),
)

#: The 14 keypoints of PoseEstimationForMobile (edvardHua), in its order.
PEM_14 = _skeleton(
    "PEM-14",
    "head_top neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist "
    "right_hip right_knee right_ankle left_hip left_knee left_ankle",
    (
        ("head_top", "neck", _FACE),
        ("neck", "left_shoulder", _NECK),
        ("neck", "right_shoulder", _NECK),
        ("neck", "left_hip", _TORSO),
        ("neck", "right_hip", _TORSO),
        *_sides(),
    ),
)

#: The 16 keypoints of MPII in the order of EfficientPose.
MPII_16 = _skeleton(
    "MPII-16",
    "head_top neck right_shoulder right_elbow right_wrist thorax left_shoulder left_elbow "
    "left_wrist pelvis right_hip right_knee right_ankle left_hip left_knee left_ankle",
    (
        ("head_top", "neck", _FACE),
        ("neck", "thorax", _FACE),
        ("thorax", "left_shoulder", _NECK),
        ("thorax", "right_shoulder", _NECK),
        ("thorax", "pelvis", _TORSO),
        ("pelvis", "left_hip", _TORSO),
        ("pelvis", "right_hip", _TORSO),
        *_sides(),
    ),
)


def _smpl_limbs() -> tuple[tuple[str, str, Colour], ...]:
    """From each joint's parent to the joint."""
    colours = {end: colour for _, end, colour in _sides()}
    colours |= {"neck": _NECK, "head": _FACE}
    for side in ("left", "right"):
        colours[f"{side}_shoulder"] = _NECK
        colours[f"{side}_hand"] = colours[f"{side}_wrist"]
        colours[f"{side}_foot"] = colours[f"{side}_ankle"]
    return tuple(
        (SMPL_JOINTS[parent], joint, colours.get(joint, _TORSO))
        for joint, parent in zip(SMPL_JOINTS, SMPL_PARENTS, strict=True)
        if parent >= 0
    )


#: The 24 joints of SMPL, in its order.
SMPL_24 = _skeleton("SMPL-24", " ".join(SMPL_JOINTS), _smpl_limbs())
