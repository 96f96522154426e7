# SPDX-License-Identifier: Apache-2.0
"""Dressed people: skins, garments, hair and face parts of MakeHuman on the base mesh.

    wardrobe = Wardrobe.load(folder)
    person = wardrobe.dress(base, "young_lightskinned_male", ["clothes/male_casualsuit04"])
    render(person.drawables(betas, rotations), camera)

The folder has a catalogue `assets.json`: lists of `skins` with `name` and `texture`, and of
`clothes`, `hair`, `eyes`, `eyebrows` and `eyelashes` with `name`, `slot`, `obj`, `mhclo` and
`textures`; and `base`, the base mesh with its texture coordinates. An item is "list/name".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.body.base_mesh import BaseMesh
from bitpose.body.garments import Binding, TexturedFaces, read_binding, read_faces
from bitpose.body.model import BodyModel
from bitpose.errors import InputError
from bitpose.render import Drawable, Surface, Texture

Array = NDArray[Any]
Index = NDArray[np.int32]

_PLAIN = (120, 140, 170)


@dataclass(frozen=True, eq=False)
class Part:
    """Something to draw: a body of its own that takes the wearer's shape and pose."""

    name: str
    model: BodyModel
    surface: Surface
    texture: Texture | None
    skin: bool = False

    def drawable(
        self, betas: ArrayLike, R_parent_joint: ArrayLike, translation: ArrayLike = (0, 0, 0)
    ) -> Drawable:
        """For one person. Only the skin is closed, so only its back is never seen."""
        shaped = self.model.with_shape(betas)
        vertices = shaped.with_pose(R_parent_joint, translation).vertices()
        return Drawable(self.surface, vertices, self.texture, _PLAIN, back_faces=not self.skin)


@dataclass(frozen=True, eq=False)
class DressedBody:
    """The visible skin first, then what is worn."""

    parts: tuple[Part, ...]

    def drawables(
        self, betas: ArrayLike, R_parent_joint: ArrayLike, translation: ArrayLike = (0, 0, 0)
    ) -> list[Drawable]:
        """For one person. Raises InputError for wrong shapes, as `BodyModel` does."""
        return [part.drawable(betas, R_parent_joint, translation) for part in self.parts]


@dataclass(frozen=True, eq=False)
class Wardrobe:
    """A catalogue of assets in a folder; files are read when they are worn."""

    folder: Path
    skins: Mapping[str, Mapping[str, Any]]
    """By name."""
    items: Mapping[str, Mapping[str, Any]]
    """By "list/name"."""
    base: str
    """The base mesh."""

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Wardrobe:
        """Raises InputError where `assets.json` is no catalogue, OSError where there is none."""
        folder = Path(folder)
        try:
            catalogue = json.loads((folder / "assets.json").read_text("utf-8"))
            skins = {entry["name"]: _with(entry, "texture") for entry in catalogue["skins"]}
            items = {
                f"{kind}/{entry['name']}": _with(entry, "mhclo", "obj")
                for kind, entries in catalogue.items()
                if kind not in ("skins", "base")
                for entry in entries
            }
            return cls(folder, skins, items, catalogue["base"]["file"])
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise InputError(f"{folder} / assets.json is no catalogue: {error!r}") from None

    def named(self, kind: str, slot: str | None = None) -> list[str]:
        """The items of a list, for example "clothes"; of one slot, for example "feet"."""
        return [
            name
            for name, entry in self.items.items()
            if name.startswith(f"{kind}/") and slot in (None, entry.get("slot"))
        ]

    def dress(
        self,
        base: BaseMesh,
        skin: str,
        wear: Sequence[str],
        variants: Mapping[str, int] | None = None,
    ) -> DressedBody:
        """A person in `wear`, each item with its first texture or that of `variants`.

        Of the skin only what nothing covers is kept, of each garment what no outer one covers.
        Raises InputError for unknown names, for who would be undressed, without a garment of slot
        "full" or those of "top" and "bottom", and for files that do not fit the base mesh.
        """
        unknown = [f"skins/{skin}"] * (skin not in self.skins)
        unknown += [name for name in wear if name not in self.items]
        if unknown:
            raise InputError(f"{self.folder} has no {', '.join(unknown)}")
        slots = {self.items[name].get("slot") for name in wear}
        if "full" not in slots and not {"top", "bottom"} <= slots:
            raise InputError(f"{list(wear)} leave a person undressed: wear full, or top and bottom")
        worn = {name: self._read(name, len(base.model.v_template)) for name in dict.fromkeys(wear)}
        hidden = np.zeros(len(base.model.v_template), bool)
        parts = []
        for name, (binding, mesh) in worn.items():
            outer = np.zeros(len(hidden), bool)
            for other, _ in worn.values():
                if other.z_depth > binding.z_depth:
                    outer[other.hides] = True
            if name.startswith("clothes/") and self.items[name].get("slot") != "head":
                hidden[binding.covers(mesh.faces)] = True
            bound = base.bind(
                binding.references, binding.shares, binding.scaled_offsets(base.model.v_template)
            )
            under = np.asarray(outer[binding.references].all(axis=1))
            shown = ~under[mesh.faces].any(axis=1)
            texture = self._texture(name, (variants or {}).get(name, 0))
            parts.append(_part(name, bound, mesh.faces[shown], mesh.texture_uv[shown], texture))
        return DressedBody((self._skin(base, skin, hidden), *parts))

    def _read(self, name: str, vertices: int) -> tuple[Binding, TexturedFaces]:
        entry = self.items[name]
        binding = _binding(self.folder / entry["mhclo"])
        mesh = _faces(self.folder / entry["obj"])
        if len(binding.references) != mesh.vertex_count:
            bound = len(binding.references)
            raise InputError(f"{name} has {mesh.vertex_count} vertices and binds {bound}")
        ends = [end for _, *pair, _ in binding.rulers for end in pair]
        every = np.concatenate([binding.references.ravel(), binding.hides, ends])
        if every.min() < 0 or every.max() >= vertices:
            raise InputError(f"{name} names vertices beyond the {vertices} of the base mesh")
        return binding, mesh

    def _texture(self, name: str, variant: int) -> Texture | None:
        textures = self.items[name].get("textures") or []
        if not textures:
            return None
        if not 0 <= variant < len(textures):
            raise InputError(f"{name} has {len(textures)} textures, no number {variant}")
        return read_texture(self.folder / textures[variant]["file"])

    def _skin(self, base: BaseMesh, skin: str, hidden: NDArray[np.bool_]) -> Part:
        mesh = _faces(self.folder / self.base)
        body = np.array([group == "body" for group in mesh.groups])
        faces, uv = mesh.faces[body], mesh.texture_uv[body]
        quads = np.stack([base.quads[:, [0, 1, 2]], base.quads[:, [0, 2, 3]]], axis=1)
        if not np.array_equal(faces, quads.reshape(-1, 3)):
            raise InputError(f"{self.base} is not the base mesh that the body was made of")
        shown = ~hidden[base.quads].all(axis=1).repeat(2)
        texture = read_texture(self.folder / self.skins[skin]["texture"])
        return _part(f"skins/{skin}", base.model, faces[shown], uv[shown], texture, skin=True)


#: Files are text: reading one takes as long as a hundred pictures.
_binding, _faces = cache(read_binding), cache(read_faces)


def _with(entry: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """The entry; raises LookupError where it lacks one of the keys."""
    missing = set(keys) - set(entry)
    if missing:
        raise LookupError(f"{entry['name']} has no {', '.join(sorted(missing))}")
    return entry


def read_texture(path: str | PathLike[str]) -> Texture:
    """A picture, its alpha with it. Raises OSError where it cannot be read."""
    from PIL import Image

    with Image.open(path) as picture:
        mode = "RGBA" if "A" in picture.getbands() or "transparency" in picture.info else "RGB"
        return Texture(np.asarray(picture.convert(mode)))


def _part(
    name: str,
    model: BodyModel,
    faces: Index,
    uv: Array,
    texture: Texture | None,
    skin: bool = False,
) -> Part:
    """Of the vertices that its faces use."""
    used, corners = np.unique(faces, return_inverse=True)
    triangles = corners.reshape(faces.shape).astype(np.int32)
    surface = Surface(len(used), triangles, texture_uv=uv.astype(np.float32))
    return Part(name, model.at_vertices(used), surface, texture, skin)
