# SPDX-License-Identifier: Apache-2.0
"""What a network for whole pictures says, from outputs that say what is true."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import bitpose
from bitpose.metrics import pa_mpjpe
from bitpose.pose.photo import Box
from bitpose.pose.scene_reader import SceneReader
from bitpose.train.judge import Found, judged, paired
from bitpose.train.people import Studio
from bitpose.train.scene_targets import SceneTargets
from bitpose.train.scenes import Scene
from bitpose.train.truth import truths

from ..tiny import constants

SIZE = 256
Array = NDArray[Any]


@pytest.fixture(scope="module")
def scene() -> Scene:
    """With several people who can be seen."""
    studio = Studio.load(None, None, "test")
    for seed in range(100):
        scene = Scene.of(studio.sample(seed, SIZE))
        seen = [person for person in truths(scene) if not person.ignored]
        if len(seen) == len(scene.people) >= 2:
            return scene
    raise AssertionError


def outputs(scene: Scene) -> dict[str, Array]:
    """What a perfect network says of the scene."""
    true = SceneTargets.of(scene, Box(0, 0, SIZE, SIZE), SIZE)
    cells = SIZE // 4
    at = (np.arange(cells) + 0.5) * 4
    x, y = np.meshgrid(at, at)
    result = {
        "middle": np.full((32, 32, 1), -9.0),
        "sides": np.zeros((32, 32, 4)),
        "part": np.zeros((cells, cells, 25)),
        "uv": np.concatenate([np.repeat(true.uv[i][..., None], 24, axis=-1) for i in range(2)], -1),
        "heat": np.zeros((cells, cells, 17)),
        "towards": np.zeros((cells, cells, 2)),
        "estimate": np.zeros((16, 16, 163)),
    }
    part = np.where(true.part > 24, 0, true.part)
    np.put_along_axis(result["part"], part[..., None].astype(np.int64), 9.0, axis=-1)
    people = true.people
    for row in np.flatnonzero(people.count == 1):
        box = people.box[row].astype(np.float64)
        middle = (box[:2] + box[2:]) / 2
        own = true.owner == row + 1
        result["towards"][own] = (np.stack([middle[0] - x, middle[1] - y], -1) / SIZE)[own]
        j, i = (middle / 8).astype(int)
        place = (np.array([j, i]) + 0.5) * 8
        result["middle"][i, j] = 9.0
        result["sides"][i, j] = np.concatenate([place - box[:2], box[2:] - place]) / SIZE
        for k, (u, v, seen) in enumerate(people.keypoints[row]):
            if seen:
                peak = np.exp(-((x / 4 - u) ** 2 + (y / 4 - v) ** 2) / 2)
                result["heat"][..., k] = np.maximum(result["heat"][..., k], peak)
        six = people.rotations[row][..., :2].swapaxes(-1, -2).reshape(-1)
        j, i = (middle / 16).astype(int)
        joints, seen = people.joints[row], people.joints_in_picture[row]
        # The weak perspective that is nearest to what the camera saw.
        flat = joints[:, :2] - joints[:, :2].mean(axis=0)
        scale = (flat * (seen - seen.mean(axis=0))).sum() / (flat**2).sum()
        shift = (seen - scale * joints[:, :2]).mean(axis=0)
        result["estimate"][i, j] = np.concatenate([six, people.betas[row], [scale], shift])
    return {name: value.astype(np.float32)[None] for name, value in result.items()}


def test_everyone_comes_back(scene: Scene) -> None:
    session = bitpose.InferenceSession(constants(outputs(scene), SIZE).SerializeToString())
    reader = SceneReader.of(session)
    assert reader is not None
    assert len(reader.run(Image.fromarray(scene.picture))) == len(scene.people)
    people = bitpose.Estimator(session, refine="none")(scene.picture)
    found, true = [Found.of(person) for person in people], truths(scene)
    pairs = paired(found, true)
    assert len(pairs) == len(scene.people)
    for j, i in pairs.items():
        joints = found[i].joints
        assert joints is not None
        assert pa_mpjpe(joints, true[j].joints) < 1
        seen = true[j].keypoints[:, 2] == 2
        off = np.linalg.norm(found[i].keypoints[:, :2] - true[j].keypoints[:, :2], axis=1)
        assert np.median(off[seen]) < 3
    figures = judged(found, true)
    assert figures.parts.mean() > 0.75
    assert np.median(figures.geodesic) < 0.05
    assert figures.told.mean() > 0.9


def test_other_networks_are_not_read() -> None:
    session = bitpose.InferenceSession(
        constants({"heat": np.zeros((1, 16, 16, 17), np.float32)}, 64).SerializeToString()
    )
    assert SceneReader.of(session) is None
