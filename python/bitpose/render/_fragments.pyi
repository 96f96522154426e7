# SPDX-License-Identifier: Apache-2.0
"""What lies at the samples where a mesh is seen, in Cython.

The samples of a mesh, N of them, are lists: `places` (index of the sample in its picture, row by
row), `triangles` (faces of the mesh), `positions` [N, 2] (on the grid of `_raster`). Indices are
trusted: they must come from `_raster.draw`.
"""

import numpy as np
from numpy.typing import NDArray

from bitpose.render.maps import Maps

def gather(
    triangles: NDArray[np.int32], first: NDArray[np.int32]
) -> list[tuple[NDArray[np.int32], NDArray[np.int32]]]:
    """For each item n, where first[n] <= triangles < first[n + 1]: places, and triangles - first[n]
    there. `first` [items + 1] starts with 0 and does not fall; triangles are below its last, or -1.
    """

def pixel_positions(places: NDArray[np.int32], width: int) -> NDArray[np.int32]:
    """The centres of pixels, of a picture of that width."""

def sample_positions(
    places: NDArray[np.int32],
    pixels: NDArray[np.int32],
    offsets: NDArray[np.float64],
    width: int,
) -> NDArray[np.int32]:
    """Of places in [K, 8]: the samples at `offsets` [8, 2] from the centres of `pixels` [K]."""

def locate(
    projected: tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.float64]],
    faces: NDArray[np.int32],
    triangles: NDArray[np.int32],
    positions: NDArray[np.int32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Barycentrics on the surface [N, 3], not negative, their sum 1; and areas [N] of triangles on
    the screen in square pixels, negative where the front is seen.

    A triangle that was cut has an infinite area.
    """

def write_maps(
    places: NDArray[np.int32],
    triangles: NDArray[np.int32],
    barycentrics: NDArray[np.float32],
    keys: NDArray[np.float64],
    perspective: bool,
    faces: NDArray[np.int32],
    parts: NDArray[np.uint8] | None,
    uv: NDArray[np.float32] | None,
    item: int,
    maps: Maps,
) -> None:
    """Writes the samples into all of `maps`."""

def find_edges(
    item: NDArray[np.int16],
    triangle: NDArray[np.int32],
    depth: NDArray[np.float32],
    pixel_size: float,
    perspective: bool,
    steepest: float,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The pixels on both sides of an edge: slots [H, W], their number or -1, and places [K].

    There is an edge between neighbours, in a row or column, of different items, or of different
    triangles whose depths differ by more than `steepest` widths of a pixel there.
    """
