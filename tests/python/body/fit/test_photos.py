# SPDX-License-Identifier: Apache-2.0
"""Fits of the annotated people of real photos."""

from __future__ import annotations

import numpy as np

from bench.fit.photos import distance, people
from tests.python.body.fit.test_fit import fitter
from tests.python.shared import image


def test_bodies_lie_on_annotated_keypoints() -> None:
    found = list(people(image("coco/keypoints.json").parent))
    assert len(found) == 12
    for person in found:
        fit = fitter().fit([person.view])
        assert distance(fit, person, fitter()) < 0.02  # 4 % must be reached.
        up = fit.posed().R_world_joint[0] @ [0, 1, 0]
        assert np.rad2deg(np.arccos(-up[1])) < 65
