# SPDX-License-Identifier: Apache-2.0
"""Which triangle is seen where, in Cython. Indices of vertices are checked here, shapes too."""

import numpy as np
from numpy.typing import NDArray

SUBPIXEL_BITS: int
"""Corners lie on a grid of 1 / 2^SUBPIXEL_BITS of a pixel."""
SAMPLE_OFFSETS: NDArray[np.float64]
"""[8, 2]: where the samples of an edge pixel are, in pixels from its centre."""

def project(
    vertices: NDArray[np.float64], matrix: NDArray[np.float64], near: float
) -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.float64]]:
    """Vertices [V, 3] through a clip matrix: `clip` [V, 4], `screen` [V, 2], `keys` [V].

    `clip` is (x w, y w, w, d). Where w >= near and the pixel lies within 2^16 of the origin,
    `screen` is the nearest grid point and `keys` d / w; elsewhere `screen` is -2^30.
    """

def draw(
    projected: tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.float64]],
    faces: NDArray[np.int32],
    first: int,
    near: float,
    back_faces: bool,
    alpha: tuple[NDArray[np.uint8], NDArray[np.float32]] | None,
    keys: NDArray[np.float64],
    triangles: NDArray[np.int32],
    slots: NDArray[np.int32] | None = None,
) -> int:
    """Draws faces [F, 3] where their key is above that in `keys`: there it sets `keys` and
    `triangles`, [H, W], the latter to `first` plus the index of the face.

    With `slots` [H, W] it does so at the samples of pixels instead: those of a pixel with slot
    k >= 0 are row k of `keys` and `triangles` [K, 8]. `alpha` is a mask [Ha, Wa] and its
    coordinates [F, 3, 2]; samples where it is below 128 stay free.

    Returns -1, or the index of a face that names a vertex which does not exist: nothing is drawn
    of it and of those behind it.
    """
