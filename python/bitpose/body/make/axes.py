# SPDX-License-Identifier: Apache-2.0
"""The named directions of shape, each about one standard deviation of adults a unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.make.makehuman import MakeHuman, Person

Array = NDArray[Any]

#: Between 25 and 90 years, rather near 25; and heavy for MakeHuman, whose people are slim.
MEAN = Person(old=0.2, weight=0.9)


def template(source: MakeHuman) -> Array:
    """[19158, 3]: the shape with all axes at 0."""
    return symmetric(source, source.person(MEAN))


def directions(source: MakeHuman) -> dict[str, Array]:
    """[19158, 3] by name: what one unit of an axis adds."""
    named: dict[str, Array] = {}
    for name, (low, high, units) in _MACRO.items():
        ends = [source.person(replace(MEAN, **end)) for end in (low, high)]
        named[name] = (ends[1] - ends[0]) / units
    for name, (targets, units) in _LOCAL.items():
        moved = [source.target(f"{t}-incr") - source.target(f"{t}-decr") for t in targets]
        named[name] = np.sum(moved, axis=0) / units
    return {name: symmetric(source, moved) for name, moved in named.items()}


def symmetric(source: MakeHuman, vectors: Array) -> Array:
    """The mean of vectors [19158, 3] and their mirror images."""
    return np.asarray((vectors + vectors[source.mirror] * (-1, 1, 1)) / 2)


#: Two persons, and how many units lie between them.
_MACRO: Mapping[str, tuple[dict[str, float], dict[str, float], float]] = {
    "sex": ({"male": 0.0}, {"male": 1.0}, 3.0),
    "age": ({"old": 0.0}, {"old": 1.0}, 4.0),
    "childhood": ({"child": 0.0}, {"child": 0.8}, 5.0),
    "weight": ({"weight": 0.0}, {"weight": 1.0}, 1.5),
    "muscle": ({"muscle": 0.0, "weight": 0.5}, {"muscle": 1.0, "weight": 0.5}, 3.0),
    "height": ({"height": 0.0}, {"height": 1.0}, 15.0),
    "proportions": ({"proportions": 0.0}, {"proportions": 1.0}, 5.0),
    "chest": ({"cup": 0.0, "male": 0.0}, {"cup": 1.0, "male": 0.0}, 5.0),
}
#: Targets that come as `-decr` and `-incr`, and how many units lie between these.
_LOCAL: Mapping[str, tuple[tuple[str, ...], float]] = {
    "leg_length": (("legs/upperlegs-height", "legs/lowerlegs-height"), 10.0),
    "arm_length": (("arms/measure-upperarm-length", "arms/measure-lowerarm-length"), 9.0),
    "torso_length": (("torso/torso-scale-vert",), 9.0),
    "shoulder_width": (("torso/measure-shoulder-dist",), 5.0),
    "hip_width": (("hip/hip-scale-horiz",), 6.0),
    "belly": (("stomach/stomach-pregnant",), 6.0),
    "buttocks": (("buttocks/buttocks-volume",), 5.0),
    "head_size": (
        ("head/head-scale-horiz", "head/head-scale-vert", "head/head-scale-depth"),
        8.0,
    ),
}
