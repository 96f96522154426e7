# SPDX-License-Identifier: Apache-2.0
"""Which point of somebody's surface each pixel shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitpose.render import maps


@dataclass(frozen=True, eq=False)
class IuvMap:
    """[H, W] each."""

    part: NDArray[np.uint8]
    """DensePose's part, 1 to 24; 0 where the person is not seen."""
    u: NDArray[np.float32]
    """In [0, 1], and 0 where the person is not seen."""
    v: NDArray[np.float32]

    @classmethod
    def blank(cls, height: int, width: int) -> IuvMap:
        """Of nobody."""
        u, v = np.zeros((2, height, width), np.float32)
        return cls(np.zeros((height, width), np.uint8), u, v)

    @property
    def mask(self) -> NDArray[np.bool_]:
        """[H, W]: where the person is seen."""
        return self.part > 0

    @property
    def iuv(self) -> NDArray[np.uint8]:
        """[H, W, 3]: part, round(255 u), round(255 v), as DensePose stores them."""
        return maps.iuv(self.part, self.u, self.v)
