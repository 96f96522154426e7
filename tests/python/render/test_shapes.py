# SPDX-License-Identifier: Apache-2.0
"""Capsules are closed, look outwards, and have the volume of capsules."""

from __future__ import annotations

import numpy as np
import pytest

from bitpose.errors import InputError
from bitpose.render.shapes import Piece, ball, capsule, joined


def volume(piece: Piece) -> float:
    a, b, c = piece.vertices[piece.faces].transpose(1, 0, 2)
    return float((a * np.cross(b, c)).sum() / 6)


@pytest.mark.parametrize("end", [(0, 0, 0), (0, 2, 0), (1, -1, 0.5)])
def test_volume(end: tuple[float, ...]) -> None:
    piece = capsule([0, 0, 0], end, 0.3, around=200, rings=200)
    expected = np.pi * 0.3**2 * (4 / 3 * 0.3 + np.linalg.norm(end))
    assert abs(volume(piece) / expected - 1) < 1e-3


@pytest.mark.parametrize(("around", "rings"), [(3, 1), (4, 2), (24, 20)])
def test_each_edge_has_a_face_on_both_sides(around: int, rings: int) -> None:
    piece = capsule([0, 0, 0], [0, 0, 1], 0.2, around, rings)
    edges = np.concatenate([np.roll(piece.faces, -k, axis=1)[:, :2] for k in range(3)])
    assert len(np.unique(edges, axis=0)) == len(edges)
    assert {tuple(e) for e in edges.tolist()} == {tuple(e[::-1]) for e in edges.tolist()}
    assert len(piece.vertices) - len(edges) // 2 + len(piece.faces) == 2
    assert 0 <= piece.uv.min() <= piece.uv.max() <= 1


def test_joined() -> None:
    pieces = [ball([0, 0, 0], 1), ball([5, 0, 0], 1, around=12)]
    surface, vertices = joined(pieces)
    assert surface.parts is not None
    for i, piece in enumerate(pieces):
        faces = surface.faces[surface.parts == i + 1]
        np.testing.assert_array_equal(vertices[faces], piece.vertices[piece.faces])


def test_too_few_vertices() -> None:
    with pytest.raises(InputError, match="capsule"):
        capsule([0, 0, 0], [1, 0, 0], 0.1, around=2)
