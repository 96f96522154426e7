# SPDX-License-Identifier: Apache-2.0
"""Which loose clothes someone wears over, or instead of, those of a wardrobe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bitpose.body import BodyModel
from bitpose.body.wardrobe import Part
from bitpose.train.people.layers import (
    Layer,
    cut_from_body,
    loosened,
    skirt,
    trousers,
    upper,
    without,
)

#: Parts whose names begin so take their colours from one pool; those of one name, the same.
LAYERS = "layers/"
#: The shares that wear trousers, a skirt (women, men), a dress, a shirt, a jacket; and of jackets
#: that are coats.
_TROUSERS, _SKIRT, _DRESS, _SHIRT, _JACKET, _COAT = 0.25, (0.25, 0.03), 0.3, 0.25, 0.3, 0.3


def layered(
    parts: Sequence[Part], female: bool, random: np.random.Generator, bare: bool = False
) -> tuple[Part, ...]:
    """The parts and what is worn over them; `bare` people get a shirt and something below it."""
    layers = _chosen(female, random, bare)
    worn: list[Part] = []
    hidden = np.zeros(len(BodyModel.load().v_template), bool)
    for layer in reversed(layers):
        worn.insert(0, without(layer.part, hidden))
        hidden = hidden | layer.hides
    dressed = [*(without(_loose(part, random), hidden) for part in parts), *worn]
    return tuple(part for part in dressed if len(part.surface.faces))


def _chosen(female: bool, random: np.random.Generator, bare: bool) -> list[Layer]:
    """From the inside to the outside."""
    layers = []
    kind = random.random()
    in_skirt = _SKIRT[0 if female else 1]
    dress = False
    if kind < in_skirt:
        dress = random.random() < _DRESS
        layers.append(_named(skirt(random), "dress" if dress else "lower"))
    elif kind < in_skirt + _TROUSERS or bare:
        layers.append(_named(cut_from_body(trousers(random), random), "lower"))
    if dress or bare or random.random() < _SHIRT:
        layers.append(
            _named(cut_from_body(upper(random, False), random), "dress" if dress else "upper")
        )
    if random.random() < _JACKET:
        cut = upper(random, True)
        layers.append(_named(cut_from_body(cut, random), "outer"))
        if random.random() < _COAT:
            layers.append(_named(skirt(random, gap=cut.gap > 0), "outer"))
    return layers


def _named(layer: Layer, name: str) -> Layer:
    return replace(layer, part=replace(layer.part, name=LAYERS + name))


def _loose(part: Part, random: np.random.Generator) -> Part:
    """Garments a little, and each its own way; nothing else, and no shoes."""
    if not part.name.startswith("clothes/") or part.model.v_template[:, 1].max() < -0.6:
        return part
    if part.model.v_template[:, 1].min() > 0.5:
        return part
    return loosened(part, random.uniform(0, 0.012), abs(random.normal(0, 0.02)), random)
