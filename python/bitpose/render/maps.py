# SPDX-License-Identifier: Apache-2.0
"""What pixels see, apart from colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Name, type, channels and value of nothing; wider types first, so that all are aligned.
_LAYOUT: tuple[tuple[str, type[np.generic], int, float], ...] = (
    ("barycentrics", np.float32, 3, 0.0),
    ("depth", np.float32, 1, np.inf),
    ("u", np.float32, 1, 0.0),
    ("v", np.float32, 1, 0.0),
    ("triangle", np.int32, 1, -1),
    ("vertex", np.int32, 1, -1),
    ("item", np.int16, 1, -1),
    ("part", np.uint8, 1, 0),
)


@dataclass(frozen=True)
class Maps:
    """What each pixel's centre sees, [H, W]. Of what has no chart, `part`, `u` and `v` are 0.

    All maps lie in one block of memory, which lives as long as one of them: copy what is kept.
    """

    item: NDArray[np.int16]
    """The index of the drawable, -1 where there is none."""
    triangle: NDArray[np.int32]
    """The face of its surface, or -1."""
    vertex: NDArray[np.int32]
    """The corner of that face with the largest barycentric coordinate, or -1."""
    barycentrics: NDArray[np.float32]
    """[H, W, 3]: of the corners in their order, as on the surface itself. Zero without a face."""
    depth: NDArray[np.float32]
    """Metres along the camera's z axis; infinite where there is nothing."""
    part: NDArray[np.uint8]
    """The chart: DensePose's I."""
    u: NDArray[np.float32]
    v: NDArray[np.float32]

    @classmethod
    def blank(cls, height: int, width: int) -> Maps:
        """Maps of nothing.

        In one block, because it is large enough for the allocator to keep its pages for the next
        picture; to get the pages of many smaller ones anew takes longer than to draw.
        """
        pixels = height * width
        sizes = [pixels * channels * np.dtype(d).itemsize for _, d, channels, _ in _LAYOUT]
        block = np.empty(sum(sizes), np.uint8)
        maps = {}
        for (name, dtype, channels, value), end, size in zip(
            _LAYOUT, np.cumsum(sizes), sizes, strict=True
        ):
            shape = (height, width, channels) if channels > 1 else (height, width)
            maps[name] = block[end - size : end].view(dtype).reshape(shape)
            maps[name].fill(value)
        return cls(**maps)

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Where there is anything."""
        return self.item >= 0

    @property
    def iuv(self) -> NDArray[np.uint8]:
        """[H, W, 3]: part, round(255 u), round(255 v), as DensePose stores them."""
        return iuv(self.part, self.u, self.v)


def iuv(
    part: NDArray[np.uint8], u: NDArray[np.float32], v: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """[H, W, 3]: part, round(255 u), round(255 v), as DensePose stores them."""
    scaled = [np.rint(np.clip(x, 0, 1) * np.float32(255)) for x in (u, v)]
    return np.stack([part, *scaled], axis=-1).astype(np.uint8)
