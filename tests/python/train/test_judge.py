# SPDX-License-Identifier: Apache-2.0
"""What people who were found are worth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bitpose.render.maps import iuv
from bitpose.train.judge import FIGURES, Found, interval, judged
from bitpose.train.people import Studio
from bitpose.train.scenes import Scene, made
from bitpose.train.truth import Truth, truths


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return list(made(Studio.load(None, None, "test"), range(8), 160))


def exact(scene: Scene, true: list[Truth]) -> list[Found]:
    """Everyone as they are."""
    maps = iuv(scene.part, *(scene.uv.astype(np.float32) / 255))
    return [Found(p.box, 0.9, p.keypoints, maps, p.joints) for p in true]


def figures(scenes: list[Scene], change: object = None) -> dict[str, float]:
    rows = []
    for scene in scenes:
        true = truths(scene)
        found = exact(scene, true)
        rows.append(judged([change(x) for x in found] if callable(change) else found, true))
    return {name: figure(rows) for name, figure in FIGURES.items()}


def test_the_truth_is_perfect(scenes: list[Scene]) -> None:
    found = figures(scenes)
    for name in ("box AP50", "box AP", "OKS AP", "part accuracy", "told"):
        assert found[name] == pytest.approx(1.0), name
    # A point stands for the nearest vertex.
    assert found["GPS AP"] > 0.95
    assert found["geodesic, cm"] < 1
    assert found["PA-MPJPE, mm"] == pytest.approx(0, abs=1e-3)
    assert found["MPJPE, mm"] == pytest.approx(0, abs=1e-3)


def test_errors_are_measured(scenes: list[Scene]) -> None:
    bent = np.zeros((24, 3))
    bent[12:] = (0.1, 0, 0)

    def worse(found: Found) -> Found:
        assert found.joints is not None
        blind = np.where(found.iuv[..., :1] > 12, 0, found.iuv).astype(np.uint8)
        return replace(found, joints=found.joints + bent, iuv=blind)

    found = figures(scenes, worse)
    assert found["MPJPE, mm"] == pytest.approx(50)
    assert 5 < found["PA-MPJPE, mm"] < 50
    assert found["part accuracy"] == pytest.approx(found["told"])
    assert 0.3 < found["told"] < 0.8
    assert found["GPS AP"] < 0.5
    assert found["box AP50"] == pytest.approx(1.0)
    moved = figures(scenes, lambda found: replace(found, box=found.box + 1000))
    assert moved["box AP50"] == 0


def test_intervals_hold_the_figure(scenes: list[Scene]) -> None:
    random = np.random.default_rng(0)
    rows = []
    for scene in scenes:
        true = truths(scene)
        noisy = [replace(x, box=x.box + random.normal(0, 4, 4)) for x in exact(scene, true)]
        rows.append(judged(noisy, true))
    low, high = interval("box AP", rows)
    assert low < FIGURES["box AP"](rows) < high
    assert (low, high) == interval("box AP", rows)
