# SPDX-License-Identifier: Apache-2.0
"""The crop network, what it learns from, and how a run goes on."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from bitpose.body import BodyModel
from bitpose.train.people import Studio
from bitpose.train.targets import IGNORED, STRIDE, Targets, batches

torch = pytest.importorskip("torch")
SIZE = 96


@pytest.fixture(scope="module")
def wanted() -> Targets:
    return next(batches(Studio.load(None, None, "train"), 0, 1, 6, SIZE))


def test_targets_are_of_the_first_person(wanted: Targets) -> None:
    sample = Studio.load(None, None, "train").sample(2, SIZE)
    one = Targets.of(sample)
    np.testing.assert_array_equal(wanted.picture[2], sample.picture.transpose(2, 0, 1))
    cells = slice(STRIDE // 2, None, STRIDE)
    owner, known = sample.labels.person[cells, cells], sample.labels.known[cells, cells]
    np.testing.assert_array_equal((one.part > 0) & (one.part != IGNORED), known & (owner == 0))
    np.testing.assert_array_equal(one.part == IGNORED, ~known & (owner == 0))
    assert one.joints[0].tolist() == [0, 0, 0]
    keypoints = sample.labels.people[0].keypoints
    np.testing.assert_allclose(one.keypoints[:, :2] * STRIDE, keypoints[:, :2], rtol=1e-5)


def perfect(wanted: Targets) -> Any:
    """The prediction that says what is wanted."""
    from bitpose.train.crop_network import PARTS, Prediction

    part = torch.from_numpy(wanted.part).long()
    logits = torch.nn.functional.one_hot(part.clamp(max=PARTS), 1 + PARTS) * 100.0
    uv = torch.from_numpy(wanted.uv)[:, :, None].expand(-1, -1, PARTS, -1, -1)
    six = torch.from_numpy(wanted.rotations)[..., :2].transpose(-1, -2).reshape(len(part), -1)
    camera = torch.zeros(len(part), 3)
    betas = torch.from_numpy(wanted.betas)
    estimate = torch.cat([six, betas, camera], dim=1)
    heat = torch.full((len(part), 17, *part.shape[1:]), -20.0)
    return Prediction(logits.permute(0, 3, 1, 2), uv, heat, (estimate,))


def test_a_perfect_prediction_costs_nothing(wanted: Targets) -> None:
    from bitpose.train.losses import Losses

    unseen = wanted.keypoints.copy()
    unseen[..., 2] = 0
    losses = Losses()(perfect(wanted), replace(wanted, keypoints=unseen))
    for name in ("part", "uv", "heat", "rotations", "betas", "joints"):
        assert float(losses[name]) < 1e-5, name


def test_joints_are_those_of_the_body(wanted: Targets) -> None:
    from bitpose.train.losses import Losses

    found = Losses().joints(torch.from_numpy(wanted.rotations), torch.from_numpy(wanted.betas))
    posed = BodyModel.load().with_shape(wanted.betas).with_pose(wanted.rotations)
    expected = posed.t_world_joint - posed.t_world_joint[:, :1]
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


def test_the_network_starts_from_someone_upright() -> None:
    from bitpose.train.crop_network import CropNetwork, first_estimate, rotations_of

    network = CropNetwork(0.25).eval()
    with torch.no_grad():
        found = network(torch.zeros(2, 3, SIZE, SIZE))
    cells = SIZE // STRIDE
    assert found.part.shape == (2, 25, cells, cells)
    assert found.uv.shape == (2, 2, 24, cells, cells)
    assert found.heat.shape == (2, 17, cells, cells)
    assert len(found.estimates) == 3
    turned = rotations_of(first_estimate())[0]
    np.testing.assert_allclose(turned[0].numpy(), np.diag([1, -1, -1]), atol=1e-6)
    np.testing.assert_allclose(turned[1:].numpy(), np.tile(np.eye(3), (23, 1, 1)), atol=1e-6)


def run(folder: Path, *more: str) -> list[list[str]]:
    """The rows of losses of a small run of 4 steps."""
    import typer

    from bitpose.train.__main__ import main

    app = typer.Typer()
    app.command()(main)
    arguments = [str(folder), "--width", "0.25", "--size", "64", "--batch", "2", "--steps", "4"]
    result = CliRunner().invoke(app, [*arguments, "--workers", "0", *more])
    assert result.exit_code == 0, result.output
    with (folder / "losses.csv").open(newline="") as file:
        return list(csv.reader(file))


def test_an_interrupted_run_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole")
    for _ in range(4):  # One step each time.
        parts = run(tmp_path / "parts", "--minutes", "0")
    assert [row[0] for row in whole] == ["step", "4"]
    assert [row[0] for row in parts] == ["step", "1", "2", "3", "4"]
    mean = np.array([row[1:] for row in parts[1:]], float).mean(axis=0)
    np.testing.assert_allclose(mean, np.array(whole[1][1:], float), rtol=2e-2, atol=1e-3)
    assert (tmp_path / "parts" / "losses.png").exists()


def test_a_folder_of_another_run_is_refused(tmp_path: Path) -> None:
    run(tmp_path, "--minutes", "0")
    from bitpose.train.__main__ import main

    with pytest.raises(typer.BadParameter, match="another run"):
        main(tmp_path, batch=4, width=0.25, size=64, steps=4, workers=0)
