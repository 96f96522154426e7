# SPDX-License-Identifier: Apache-2.0
"""The script that derives the pose prior, and what it holds out."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from bitpose.body import SMPL_JOINTS
from bitpose.body.fit.make import clips, mixture, prior
from tests.python.shared import mocap


@pytest.fixture(scope="module")
def captured() -> clips.Clips:
    return clips.load(mocap())


def test_mixture_finds_two_clusters() -> None:
    rng = np.random.default_rng(0)
    centres = np.array([[-1.0, 0.5], [1.0, 0.0]])
    x = centres[(np.arange(3000) % 3 == 0).astype(int)] + rng.normal(0, 0.2, (3000, 2))
    fitted = mixture.fit(x, np.full(3000, 1 / 3000), 2, seed=0)
    order = np.argsort(fitted.means[:, 0])
    np.testing.assert_allclose(fitted.means[order], centres, atol=0.02)
    np.testing.assert_allclose(fitted.weights[order], [2 / 3, 1 / 3], atol=0.01)


def test_mirror() -> None:
    pose = np.zeros((24, 3))
    left, right = SMPL_JOINTS.index("left_elbow"), SMPL_JOINTS.index("right_elbow")
    pose[left] = 0.1, 0.2, 0.3
    np.testing.assert_array_equal(prior.mirrored(pose)[right], [0.1, -0.2, -0.3])
    np.testing.assert_array_equal(prior.mirrored(prior.mirrored(pose)), pose)


def test_what_is_held_out(captured: clips.Clips) -> None:
    with np.load(mocap(), allow_pickle=False) as data:
        of_clips, test = data["clip"], data["test"]
    assert captured.held_out[test].all()
    others = ~test
    for category in np.unique(captured.categories[others]):
        here = others & (captured.categories == category)
        held = np.unique(of_clips[here & captured.held_out])
        assert len(held) == (len(np.unique(of_clips[here])) > 1)
        assert not np.isin(of_clips[~captured.held_out], held).any()


@pytest.mark.slow
def test_the_file_is_made_again(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bitpose.body.fit.make", str(mocap()), str(tmp_path)]
    subprocess.run(command, check=True)
    committed = files("bitpose.body.fit").joinpath("pose_prior.npz").read_bytes()
    assert (tmp_path / "pose_prior.npz").read_bytes() == committed
