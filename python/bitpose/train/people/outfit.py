# SPDX-License-Identifier: Apache-2.0
"""What one person wears, ready to be drawn in any pose, at several levels of detail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.body import BodyModel
from bitpose.body.packing import PoseBlend, SkinWeights
from bitpose.body.wardrobe import Part
from bitpose.render import Drawable, Texture
from bitpose.train.people.coarse import CELLS, coarsened, level_for

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Dressed:
    """Parts whose vertices are posed together: it takes hardly longer than for one of them."""

    parts: tuple[Part, ...]
    model: BodyModel
    """Of all parts' vertices, one part after the other."""

    @classmethod
    def of(cls, parts: Sequence[Part]) -> Dressed:
        """The parts share joints, betas and poses."""
        return cls(tuple(parts), _together([part.model for part in parts]))

    def drawables(
        self,
        textures: Sequence[Texture],
        betas: ArrayLike,
        R_parent_joint: ArrayLike,
        translation: ArrayLike,
    ) -> list[Drawable]:
        posed = self.model.with_shape(betas).with_pose(R_parent_joint, translation)
        ends = np.cumsum([part.surface.vertex_count for part in self.parts])
        vertices = np.split(posed.vertices(), ends[:-1])
        return [
            Drawable(part.surface, at, texture, back_faces=not part.skin)
            for part, at, texture in zip(self.parts, vertices, textures, strict=True)
        ]


class Outfit:
    """What someone may wear, the skin with it, at each level of detail; made when first drawn."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = tuple(parts)
        self._levels: dict[int, Dressed] = {}

    def at(self, level: int) -> Dressed:
        if level not in self._levels:
            cell = CELLS[level]
            parts = [coarsened(p, cell) if cell else p for p in self.parts]
            self._levels[level] = Dressed.of(parts)
        return self._levels[level]


@dataclass(frozen=True, eq=False)
class Look:
    """A person to draw, in any pose."""

    betas: Array
    outfit: Outfit
    textures: tuple[Texture, ...]
    """Of the parts."""

    def drawables(
        self, R_parent_joint: ArrayLike, translation: ArrayLike, pixel: float = 0.0
    ) -> list[Drawable]:
        """As fine as pixels of so many metres may show."""
        dressed = self.outfit.at(level_for(pixel))
        return dressed.drawables(self.textures, self.betas, R_parent_joint, translation)


def _together(models: Sequence[BodyModel]) -> BodyModel:
    """One body of the vertices of all."""
    first = models[0]
    starts = np.cumsum([0, *(len(model.v_template) for model in models)])
    moved = []
    for j in range(first.num_joints):
        found = [model.pose_blend.of_joint(j) for model in models]
        numbers = [n + start for (n, _), start in zip(found, starts, strict=False)]
        moved.append((np.concatenate(numbers), np.concatenate([d for _, d in found], axis=1)))
    weights = [model.skin.to_dense(first.num_joints) for model in models]
    return replace(
        first,
        v_template=np.concatenate([model.v_template for model in models]),
        shapedirs=np.concatenate([model.shapedirs for model in models], axis=1),
        pose_blend=PoseBlend.from_joints(moved, first.dtype),
        skin=SkinWeights.from_dense(np.concatenate(weights), first.dtype),
        faces=np.empty((0, 3), np.int32),
        keypoints={},
    )
