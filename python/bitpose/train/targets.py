# SPDX-License-Identifier: Apache-2.0
"""What a crop network should say of a sample."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.train.people import Sample, Studio

Array = NDArray[Any]

#: Pixels of the crop to one of the maps.
STRIDE = 4
#: Of `part`, where nothing is known.
IGNORED = 255


@dataclass(frozen=True, eq=False)
class Targets:
    """Of the first person in a picture of S pixels; with a leading axis, of many."""

    picture: NDArray[np.uint8]
    """[3, S, S]."""
    part: NDArray[np.uint8]
    """[S / 4, S / 4]: 0 for everything but the person, or IGNORED."""
    uv: NDArray[np.float32]
    """[2, S / 4, S / 4]."""
    keypoints: NDArray[np.float32]
    """[17, 3]: x and y in pixels of the maps, and 1 where it is in the picture."""
    rotations: NDArray[np.float32]
    """[24, 3, 3]: the root's in the camera's frame."""
    betas: NDArray[np.float32]
    joints: NDArray[np.float32]
    """[24, 3] metres, from the root, camera's axes."""
    joints_in_picture: NDArray[np.float32]
    """[24, 2]: from -1 to 1 over the picture."""

    @classmethod
    def of(cls, sample: Sample) -> Targets:
        labels, camera = sample.labels, sample.camera
        person, size = labels.people[0], camera.width
        middle = np.arange(STRIDE // 2, size, STRIDE)
        cells = np.ix_(middle, middle)
        known, owner = labels.known[cells], labels.person[cells]
        part = np.where(known & (owner == 0), labels.part[cells], 0)
        part = np.where((owner == 0) & ~known, IGNORED, part)
        pixels = person.joints[:, :2] / np.maximum(person.joints[:, 2:], 0.1) * camera.fx
        pixels = pixels + np.array([camera.cx, camera.cy])
        keypoints = np.column_stack([person.keypoints[:, :2] / STRIDE, person.keypoints[:, 2] > 0])
        return cls(
            np.ascontiguousarray(sample.picture.transpose(2, 0, 1)),
            part.astype(np.uint8),
            np.stack([labels.u[cells], labels.v[cells]]).astype(np.float32),
            keypoints.astype(np.float32),
            person.R_parent_joint.astype(np.float32),
            person.betas.astype(np.float32),
            (person.joints - person.joints[0]).astype(np.float32),
            np.clip(2 * pixels / size - 1, -4, 4).astype(np.float32),
        )

    @classmethod
    def stacked(cls, many: list[Targets]) -> Targets:
        """All with a leading axis."""
        return cls(*(np.stack([getattr(x, f.name) for x in many]) for f in fields(cls)))


def batches(studio: Studio, first: int, step: int, batch: int, size: int) -> Iterator[Targets]:
    """Batches without end, of the seeds of batch `first`, `first + step`, and so on."""
    number = first
    while True:
        seeds = range(number * batch, (number + 1) * batch)
        yield Targets.stacked([Targets.of(studio.sample(seed, size)) for seed in seeds])
        number += step
