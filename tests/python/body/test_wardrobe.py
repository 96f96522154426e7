# SPDX-License-Identifier: Apache-2.0
"""MakeHuman's garments are read, bound, layered and drawn; files that do not fit are refused."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bitpose.body import BodyModel
from bitpose.body.base_mesh import BaseMesh
from bitpose.body.garments import METRES, read_binding, read_faces
from bitpose.body.rotations import axis_angle_to_matrix
from bitpose.body.wardrobe import Part, Wardrobe, read_texture
from bitpose.errors import InputError
from tests.python import shared
from tests.python.body.bodies import random_arrays

Array = NDArray[Any]

#: A strip of 8 by 2 vertices for a skin, and helpers behind it.
COLUMNS, SKIN, VERTICES = 8, 16, 20
QUADS = np.array([[i, i + 1, i + 9, i + 8] for i in range(COLUMNS - 1)], np.int32)

SHIRT = """\
# not a word of this
name shirt
x_scale 0 7 14
z_depth 50
verts 0
material shirt.mhmat
2 3 4 0.5 0.25 0.25 1 0 -1
10
5 6 7 1 0 0
13 13 13 1 0 0 0 2 0
delete_verts
2 - 5 10
11 - 13
"""
QUAD = "v 0 0 0\nv 0 0 0\nv 0 0 0\nv 0 0 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\nf 1/1 2/2 4/4 3/3\n"
#: Its first and second vertices hang on what the shirt covers.
SOCK = "z_depth 5\nverts 0\n3\n11\n0\n1\n"


def binding_of(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "asset.mhclo"
    path.write_text(text)
    return path


@pytest.fixture
def base() -> BaseMesh:
    model = BodyModel.from_arrays(random_arrays(5, vertices=VERTICES), np.float64)
    template = model.v_template.copy()
    column = np.arange(SKIN) % COLUMNS
    template[:SKIN] = np.stack([0.1 * column, 0.1 * (np.arange(SKIN) // COLUMNS), 0 * column], 1)
    turns = axis_angle_to_matrix(np.random.default_rng(6).normal(0, 0.2, (24, 3)))
    return BaseMesh(
        replace(model, v_template=template), QUADS, np.arange(SKIN, dtype=np.int32), turns
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    skin = "".join(f"v {i} 0 0\n" for i in range(VERTICES)) + "vt 0.25 0.75\ng helper\nf 17 18 19\n"
    skin += "g body\n" + "".join(
        "f " + " ".join(f"{corner + 1}/1" for corner in quad) + "\n" for quad in QUADS.tolist()
    )
    (tmp_path / "base.obj.gz").write_bytes(gzip.compress(skin.encode()))
    for name, text in (("shirt", SHIRT), ("sock", SOCK)):
        (tmp_path / f"{name}.mhclo").write_text(text)
        (tmp_path / f"{name}.obj").write_text(QUAD)
    picture = np.zeros((2, 2, 4), np.uint8)
    picture[0] = 255
    Image.fromarray(picture).save(tmp_path / "hole.png")
    Image.new("RGB", (4, 2), (200, 150, 120)).save(tmp_path / "skin.png")
    write_catalogue(tmp_path)
    return tmp_path


def write_catalogue(folder: Path, **changes: Any) -> None:
    def item(name: str, slot: str, textures: list[str]) -> dict[str, Any]:
        files = [{"file": file} for file in textures]
        return {"name": name, "slot": slot, "mhclo": f"{name}.mhclo", "obj": f"{name}.obj",
                "textures": files}  # fmt: skip

    catalogue = {
        "skins": [{"name": "fair", "texture": "skin.png"}],
        "clothes": [item("shirt", "full", ["skin.png", "hole.png"]), item("sock", "feet", [])],
        "base": {"file": "base.obj.gz"},
    }
    (folder / "assets.json").write_text(json.dumps(catalogue | changes))


def test_reads_a_binding(tmp_path: Path, base: BaseMesh) -> None:
    binding = read_binding(binding_of(tmp_path, SHIRT))
    assert binding.references.tolist() == [[2, 3, 4], [10] * 3, [5, 6, 7], [13] * 3]
    np.testing.assert_allclose(binding.shares[:2], [[0.5, 0.25, 0.25], [1.0, 0.0, 0.0]])
    assert binding.hides.tolist() == [2, 3, 4, 5, 10, 11, 12, 13]
    assert binding.z_depth == 50
    # The base mesh is 7 decimetres wide where the garment's maker had 14.
    expected = np.array([[5, 0, -10], [0, 0, 0], [0, 0, 0], [0, 20, 0]]) * METRES / 10
    np.testing.assert_allclose(binding.scaled_offsets(base.model.v_template), expected)


def test_garments_without_a_list_cover_what_they_hang_on(tmp_path: Path) -> None:
    """Of a grid of 5 by 5 vertices: not its rim, nor what is next to it."""
    lines = "verts 0\n" + "".join(f"{i}\n" for i in range(25))
    quads = [[i, i + 1, i + 6, i + 5] for i in range(19) if i % 5 < 4]
    faces = np.array([[q[0], *q[k : k + 2]] for q in quads for k in (1, 2)], np.int32)
    assert read_binding(binding_of(tmp_path, lines)).covers(faces).tolist() == [12]


def test_dressed_body_shows_what_nothing_covers(folder: Path, base: BaseMesh) -> None:
    wardrobe = Wardrobe.load(folder)
    assert wardrobe.named("clothes") == ["clothes/shirt", "clothes/sock"]
    assert wardrobe.named("clothes", "feet") == ["clothes/sock"]
    person = wardrobe.dress(base, "fair", ["clothes/shirt", "clothes/sock"])
    skin, shirt, sock = person.parts
    # Columns 2 to 5 are covered in both rows: three of seven quads.
    assert len(skin.surface.faces) == 2 * 4
    assert skin.surface.texture_uv is not None
    assert (skin.surface.texture_uv == (0.25, 0.75)).all()
    assert len(shirt.surface.faces) == 2
    assert sock.texture is None
    assert len(sock.surface.faces) == 0
    alone = wardrobe.dress(base, "fair", ["clothes/shirt"])
    assert len(alone.parts) == 2


def test_parts_follow_shape_and_pose(folder: Path, base: BaseMesh) -> None:
    person = Wardrobe.load(folder).dress(base, "fair", ["clothes/shirt"])
    rng = np.random.default_rng(7)
    betas, translation = rng.normal(0, 1, 10), rng.normal(0, 1, 3)
    rotations = axis_angle_to_matrix(rng.normal(0, 0.5, (24, 3)))
    skin, shirt = person.drawables(betas, rotations, translation)

    def posed(model: BodyModel) -> Array:
        return np.asarray(model.with_shape(betas).with_pose(rotations, translation).vertices())

    used = np.unique(QUADS[[0, 1, 5, 6]])
    np.testing.assert_allclose(skin.vertices_world, posed(base.model)[used], atol=1e-12)
    binding = read_binding(folder / "shirt.mhclo")
    offsets = binding.scaled_offsets(base.model.v_template)
    bound = base.bind(binding.references, binding.shares, offsets)
    np.testing.assert_allclose(shirt.vertices_world, posed(bound), atol=1e-12)
    assert shirt.back_faces
    assert not skin.back_faces


def test_textures_by_number_and_with_alpha(folder: Path, base: BaseMesh) -> None:
    def shirt(variant: int) -> Part:
        worn = {"clothes/shirt": variant}
        return Wardrobe.load(folder).dress(base, "fair", ["clothes/shirt"], worn).parts[1]

    opaque, holed = shirt(0).texture, shirt(1).texture
    assert opaque is not None
    assert opaque.alpha is None
    assert holed is not None
    assert holed.alpha is not None
    assert holed.alpha.tolist() == [[255, 255], [0, 0]]
    with pytest.raises(InputError, match="2 textures, no number 2"):
        shirt(2)
    with pytest.raises(OSError, match=r"none\.png"):
        read_texture(folder / "none.png")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "binds no vertex"),
        ("verts 0\n", "binds no vertex"),
        ("verts 0\n1 2\n", "line 2: a vertex of 2 numbers"),
        ("verts 0\n1 2 x 1 0 0\n", "line 2"),
        ("verts 0\n1 2 3 nan 0 0\n", "NaN"),
        ("verts 0\n1\nx_scale 1 2 0\n", "line 3: a measure of 0"),
        ("x_scale 1\nverts 0\n1\n", "line 1"),
        ("verts 0\n1\ndelete_verts\n5 - 3\n", "line 4: vertices 5 - 3"),
        ("verts 0\n1\ndelete_verts\n0 - 99999999999\n", "line 4: vertices"),
    ],
)
def test_refuses_damaged_bindings(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=says):
        read_binding(binding_of(tmp_path, text))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.obj", b"", "no faces"),
        ("a.obj", b"v 0 0 0\nf 1 2 3\n", "beyond its 1 vertices"),
        ("a.obj", b"v 0 0 0\nf 1/1 1/1 1/1\n", "beyond"),
        ("a.obj", b"v 0 0 0\nvt 0 inf\nf 1/1 1/1 1/1\n", "infinity"),
        ("a.obj", b"v 0 0 0\nf 1 -1 0\n", "line 2: a corner '-1'"),
        ("a.obj", b"\xff\xfe", "no text"),
        ("a.obj.gz", b"v 0 0 0\n", "no text"),
        ("a.obj.gz", gzip.compress(b"v 0 0 0\n" * 99)[:-9], "no text"),
    ],
)
def test_refuses_damaged_faces(name: str, content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=says):
        read_faces(tmp_path / name)


def _other_base(folder: Path) -> None:
    (folder / "base.obj.gz").write_bytes(gzip.compress(b"g body\n" + QUAD.encode()))


DAMAGE: list[tuple[Callable[[Path], object], str]] = [
    (lambda f: (f / "shirt.mhclo").write_text("verts 0\n1\n2\n"), "has 4 vertices and binds 2"),
    (lambda f: (f / "shirt.mhclo").write_text("verts 0\n1\n2\n3\n77\n"), "beyond the 20"),
    (lambda f: (f / "shirt.mhclo").write_text(SHIRT.replace("0 7 14", "0 70 14")), "beyond the 20"),
    (_other_base, "is not the base mesh"),
]


@pytest.mark.parametrize(("damage", "says"), DAMAGE)
def test_refuses_what_does_not_fit_the_base_mesh(
    damage: Callable[[Path], object], says: str, folder: Path, base: BaseMesh
) -> None:
    damage(folder)
    with pytest.raises(InputError, match=says):
        Wardrobe.load(folder).dress(base, "fair", ["clothes/shirt"])


def test_nobody_is_undressed(folder: Path, base: BaseMesh) -> None:
    wardrobe = Wardrobe.load(folder)
    for wear in ([], ["clothes/sock"]):
        with pytest.raises(InputError, match="undressed"):
            wardrobe.dress(base, "fair", wear)
    with pytest.raises(InputError, match="no skins/dark, hair/long"):
        wardrobe.dress(base, "dark", ["clothes/shirt", "hair/long"])


HATLESS = '{"skins": [], "clothes": [{"name": "hat", "obj": "hat.obj"}], "base": {"file": "x"}}'


@pytest.mark.parametrize("text", ["", "[]", "{}", HATLESS.replace("[]", "1"), HATLESS])
def test_refuses_other_catalogues(text: str, tmp_path: Path) -> None:
    (tmp_path / "assets.json").write_text(text)
    with pytest.raises(InputError, match="no catalogue"):
        Wardrobe.load(tmp_path)
    with pytest.raises(OSError, match="missing"):
        Wardrobe.load(tmp_path / "missing")


def test_reads_every_asset() -> None:
    wardrobe = Wardrobe.load(shared.people())
    assert len(wardrobe.skins) == 22
    assert len(wardrobe.named("clothes")) == 30
    for entry in wardrobe.items.values():
        binding = read_binding(wardrobe.folder / entry["mhclo"])
        faces = read_faces(wardrobe.folder / entry["obj"])
        assert len(binding.references) == faces.vertex_count == entry["vertices"]
        assert len(binding.hides) == entry["delete_verts"]
        np.testing.assert_allclose(binding.shares.sum(axis=1), 1, atol=0.002)
        assert 0 <= binding.references.min() <= binding.references.max() < 19158
