# SPDX-License-Identifier: Apache-2.0
"""What is to be known of the people in a picture, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body import BodyModel, default_surface
from bitpose.render import Drawable, PerspectiveCamera, Surface, rasterize
from bitpose.render.maps import Maps, iuv
from bitpose.train.people.standing import OUTLINE, Standing

Array = NDArray[Any]

#: A keypoint is seen where nothing is so many metres nearer to the camera: half a limb, and cloth.
_DEEP = 0.15


@dataclass(frozen=True, eq=False)
class PersonLabels:
    """Of one person; frames and pixels are those of the picture's camera."""

    box: Array
    """[4]: left, top, right, bottom of what is seen of them, clothes and all."""
    whole_box: Array
    """[4]: of the body without clothes as if nothing hid it, also beyond the picture."""
    keypoints: Array
    """[17, 3]: COCO's; x, y, and 2 where it is seen, 1 where hidden, 0 outside the picture."""
    joints: Array
    """[24, 3] metres, camera frame."""
    R_parent_joint: Array
    """[24, 3, 3]; the root's in the camera frame."""
    betas: Array
    translation: Array
    """[3] metres, camera frame."""
    seen: float
    """The area of `box` over that of `whole_box`, at most 1."""


@dataclass(frozen=True, eq=False)
class Labels:
    """Of a picture [H, W]."""

    person: NDArray[np.int8]
    """Which person, -1 for none: their mask, clothes and hair included."""
    part: NDArray[np.uint8]
    """DensePose's I of the body below the clothes; 0 where there is nobody."""
    u: NDArray[np.float32]
    v: NDArray[np.float32]
    known: NDArray[np.bool_]
    """Where part, u and v count: not where cloth or hair stands away from the body, nor where
    another person's body lies below."""
    depth: NDArray[np.float32]
    """Metres; infinite where there is nobody."""
    people: tuple[PersonLabels, ...]

    @property
    def iuv(self) -> NDArray[np.uint8]:
        """[H, W, 3]: part, round(255 u), round(255 v), as DensePose stores them."""
        return iuv(self.part, self.u, self.v)


def label(
    people: Sequence[Standing],
    owners: Sequence[int],
    drawn: Maps,
    camera: PerspectiveCamera,
) -> Labels:
    """`drawn` are the maps of the picture; drawable i is of person `owners[i]`, -1 for none."""
    owner = np.array([*owners, -1], np.int8)
    person = owner[drawn.item]
    masks = [person == i for i in range(len(people))]
    boxes = [_box(mask) for mask in masks]
    # Who is not seen hides nothing either: others' pixels would be theirs.
    seen = [i for i, box in enumerate(boxes) if box[2] > 0]
    bare = rasterize([Drawable(_charts(), people[i].bare, back_faces=False) for i in seen], camera)
    known = (person >= 0) & (np.array([*seen, -1], np.int8)[bare.item] == person)
    part, u, v = (np.where(known, x, np.zeros(1, x.dtype)) for x in (bare.part, bare.u, bare.v))
    found = tuple(
        _of_person(p, box, drawn.depth, camera) for p, box in zip(people, boxes, strict=True)
    )
    depth = np.where(person >= 0, drawn.depth, np.float32(np.inf))
    return Labels(person, part, u, v, known, depth, found)


@cache
def _charts() -> Surface:
    return default_surface.load().charts.surface()


def _of_person(
    standing: Standing, box: Array, depth: Array, camera: PerspectiveCamera
) -> PersonLabels:
    model: BodyModel = standing.body
    R = camera.T_camera_world[:3, :3]
    points = model.keypoints["COCO-17"].positions(standing.bare)
    projected, far = camera.project(np.concatenate([points, standing.bare[::OUTLINE]]))
    xy, outline = projected[: len(points)], projected[len(points) :]
    visibility = _visibility(xy, far[: len(points)], depth)
    keypoints = np.column_stack([np.nan_to_num(xy), visibility])
    rotations = standing.R_parent_joint.copy()
    rotations[0] = R @ rotations[0]
    joints = standing.joints @ R.T + camera.T_camera_world[:3, 3]
    outline = outline[np.isfinite(outline[:, 0])]
    if not len(outline):
        outline = np.zeros((1, 2))
    whole = np.concatenate([outline.min(axis=0), outline.max(axis=0)])
    return PersonLabels(
        box=box,
        whole_box=whole,
        keypoints=keypoints,
        joints=joints,
        R_parent_joint=rotations,
        betas=standing.look.betas,
        translation=joints[0],
        seen=_share_seen(box, whole),
    )


def _visibility(xy: Array, far: Array, depth: Array) -> Array:
    height, width = depth.shape
    inside = np.isfinite(xy).all(axis=1)
    places = np.floor(np.nan_to_num(xy, nan=-1)).astype(np.int64)
    inside &= ((places >= 0) & (places < (width, height))).all(axis=1)
    columns, rows = np.clip(places, 0, (width - 1, height - 1)).T
    shown = inside & (far <= depth[rows, columns] + _DEEP)
    return np.where(inside, np.where(shown, 2.0, 1.0), 0.0)


def _box(mask: NDArray[np.bool_]) -> Array:
    """Around the pixels; zeros where there are none."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return np.zeros(4)
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float64)


def _share_seen(box: Array, whole: Array) -> float:
    """Of the area of the whole box, that of the one around what is seen."""
    area = float(np.prod(whole[2:] - whole[:2]))
    return min(1.0, float(np.prod(box[2:] - box[:2])) / max(area, 1e-6))
