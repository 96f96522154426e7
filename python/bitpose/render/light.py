# SPDX-License-Identifier: Apache-2.0
"""Light that falls on a surface from far away."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.errors import InputError
from bitpose.render.camera import Camera
from bitpose.render.surface import frozen


@dataclass(frozen=True)
class Light:
    """What a white surface with normal n shows: sum_i harmonics_i Y_i(n) / Y_0 +
    sum_j strengths_j max(0, n . directions_j), per channel, in linear light; 1 is white.

    - `harmonics` [9, 3]: of the real spherical harmonics Y_i of degrees 0 to 2 in the order 1, y,
      z, x, xy, yz, 3 z^2 - 1, xz, x^2 - y^2. The first is the ambient light.
    - `directions_world` [L, 3], towards the light, of any length but zero; `strengths` [L, 3].

    Nothing throws a shadow. Raises InputError for shapes that do not fit.
    """

    harmonics: NDArray[np.float32] = field(default_factory=lambda: np.zeros((9, 3), np.float32))
    directions_world: NDArray[np.float32] = field(
        default_factory=lambda: np.zeros((0, 3), np.float32)
    )
    strengths: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 3), np.float32))

    def __post_init__(self) -> None:
        harmonics = frozen("harmonics", self.harmonics, np.float32, (9, 3))
        directions = frozen("directions_world", self.directions_world, np.float64, (None, 3))
        lengths = np.sqrt((directions**2).sum(axis=1, keepdims=True))
        if not (lengths > 0).all():
            raise InputError("directions_world must not be zero")
        units = frozen("directions_world", directions / lengths, np.float32, directions.shape)
        strengths = frozen("strengths", self.strengths, np.float32, directions.shape)
        object.__setattr__(self, "harmonics", harmonics)
        object.__setattr__(self, "directions_world", units)
        object.__setattr__(self, "strengths", strengths)

    @classmethod
    def of(
        cls, ambient: ArrayLike, directions_world: ArrayLike = (), strengths: ArrayLike = ()
    ) -> Self:
        """Ambient light, one number or one for each channel, and lights from directions [L, 3]
        with strengths [L] or [L, 3].
        """
        level = np.asarray(ambient, np.float32)
        if level.shape not in ((), (3,)):
            raise InputError(f"ambient has shape {level.shape}; must be one number or three")
        harmonics = np.zeros((9, 3), np.float32)
        harmonics[0] = level
        directions = np.asarray(directions_world, np.float32)
        directions = directions if directions.size else directions.reshape(0, 3)
        each = np.asarray(strengths, np.float32)
        if each.ndim == 1:
            each = np.tile(each[:, None], (1, 3))
        return cls(harmonics, directions, each)

    @classmethod
    def studio(cls, camera: Camera) -> Self:
        """A key light from the upper left, a weaker one from the right, as `camera` sees it."""
        towards_camera = np.array([[-0.5, -0.7, -1.0], [1.0, -0.2, -0.4]])
        towards_world = (towards_camera[:, :, None] * camera.T_camera_world[:3, :3]).sum(axis=1)
        return cls.of(0.14, towards_world, [0.72, 0.18])
