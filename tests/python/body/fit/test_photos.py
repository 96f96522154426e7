# SPDX-License-Identifier: Apache-2.0
"""Fits of the annotated people of real photos."""

from __future__ import annotations

import pytest

from bench.fit.photos import distance, lean, people
from bitpose.body.fit import fit_scene
from tests.python.body.fit.test_fit import fitter
from tests.python.shared import image

STANDING = {488308, 1724673, 543117, 460541}


@pytest.mark.slow
def test_bodies_lie_on_annotated_keypoints_and_stand() -> None:
    found = list(people(image("coco/keypoints.json").parent))
    assert len(found) == 12
    for photo in {person.photo for person in found}:
        together = [person for person in found if person.photo == photo]
        scene = fit_scene(fitter(), [person.view for person in together])
        for person, fit in zip(together, scene.people, strict=True):
            assert distance(fit, scene.focal, person, fitter()) < 0.02  # 4 % must be reached.
            if person.number in STANDING:
                assert lean(fit, scene.up) < 15
