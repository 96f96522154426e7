# SPDX-License-Identifier: Apache-2.0
"""Colours at the samples where a mesh is seen, in Cython; samples as in `_fragments`."""

import numpy as np
from numpy.typing import NDArray

def vertex_normals(vertices: NDArray[np.float64], faces: NDArray[np.int32]) -> NDArray[np.float32]:
    """[V, 3]: unit normals, sums over faces weighted by area; zero where there is none."""

def mix_corners(
    values: NDArray[np.float32],
    faces: NDArray[np.int32],
    triangles: NDArray[np.int32],
    barycentrics: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Values of vertices [V, 3], interpolated at the samples: [N, 3]."""

def sample_texture(
    texels: NDArray[np.uint8],
    levels: NDArray[np.int32],
    decode: NDArray[np.float32],
    uv: NDArray[np.float32],
    triangles: NDArray[np.int32],
    barycentrics: NDArray[np.float32],
    areas: NDArray[np.float32],
) -> NDArray[np.float32]:
    """[N, 3]: linear light of a texture, bilinear in the level whose texels are nearest to a pixel.

    `texels` and `levels` are Texture.levels, `decode` [256], `uv` [F, 3, 2].
    """

def illuminate(
    colours: NDArray[np.float32],
    normals: NDArray[np.float32],
    areas: NDArray[np.float32],
    harmonics: NDArray[np.float32],
    directions: NDArray[np.float32],
    strengths: NDArray[np.float32],
) -> None:
    """Multiplies `colours` [N, 3], in place, by the light on normals [N, 3] of any length.

    Normals are turned round where `areas` is positive: the back is seen there.
    """

def accumulate(
    colours: NDArray[np.float32],
    places: NDArray[np.int32],
    sums: NDArray[np.float32],
    counts: NDArray[np.int32],
) -> None:
    """Adds the colours of samples, places in [K, 8], to `sums` [K, 3] and 1 to `counts` [K]."""

def encode(
    colours: NDArray[np.float32],
    places: NDArray[np.int32],
    table: NDArray[np.uint8],
    picture: NDArray[np.uint8],
) -> None:
    """picture[place] [P, 3] = table[round(colour * (T - 1))], colours being kept in 0 .. 1."""
