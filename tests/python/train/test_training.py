# SPDX-License-Identifier: Apache-2.0
"""The crop network, what it learns from, and how a run goes on."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from bitpose.body import BodyModel
from bitpose.errors import InputError
from bitpose.pose.photo import Box
from bitpose.pose.virtual_camera import towards
from bitpose.train.batches import stacked
from bitpose.train.crop_targets import CropTargets, crops
from bitpose.train.people import Studio
from bitpose.train.scene_targets import SceneTargets, views
from bitpose.train.scenes import Scene, SceneFile, made, write_scenes
from bitpose.train.sources import Kept, batches_of
from bitpose.train.view import IGNORED, STRIDE

torch = pytest.importorskip("torch")
SIZE = 96


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return list(made(Studio.load(None, None, "train"), range(6), 128))


@pytest.fixture(scope="module")
def wanted(scenes: list[Scene]) -> CropTargets:
    random = np.random.default_rng(0)
    return stacked([x for scene in scenes for x in crops(scene, SIZE, random)][:6])


def test_scenes_come_back_from_a_file(tmp_path: Path, scenes: list[Scene]) -> None:
    path = tmp_path / "a.scenes"
    write_scenes(path, scenes)
    assert [file.name for file in tmp_path.iterdir()] == ["a.scenes"]
    kept = SceneFile(path)
    assert len(kept) == len(scenes)
    for index, scene in enumerate(scenes):
        again = kept[index]
        for name in ("part", "uv", "owner", "camera"):
            np.testing.assert_array_equal(getattr(again, name), getattr(scene, name))
        assert np.abs(again.picture.astype(int) - scene.picture).mean() < 4
        assert len(again.people) == len(scene.people)
        for one, other in zip(again.people, scene.people, strict=True):
            for field in fields(one):
                mine: Any = getattr(one, field.name)
                theirs: Any = getattr(other, field.name)
                np.testing.assert_allclose(mine, theirs, rtol=1e-6)


def test_what_is_no_file_of_scenes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.scenes").write_bytes(b"no archive")
    with pytest.raises(InputError, match="no file of scenes"):
        SceneFile(tmp_path / "a.scenes")
    with pytest.raises(InputError, match="make_scenes"):
        Kept([tmp_path / "nowhere"])


def test_the_same_batch_again(tmp_path: Path, scenes: list[Scene]) -> None:
    write_scenes(tmp_path / "a.scenes", scenes)

    def batches(first: int, step: int) -> Iterator[CropTargets]:
        def samples(scene: Scene, random: np.random.Generator) -> Iterator[CropTargets]:
            return crops(scene, 64, random)

        lists = batches_of(Kept([tmp_path]), samples, 3, 7, first, step)
        return map(stacked, lists)

    every, odd = batches(0, 1), batches(1, 2)
    next(every)
    for _ in range(2):
        one, other = next(every), next(odd)
        np.testing.assert_array_equal(one.picture, other.picture)
        np.testing.assert_array_equal(one.joints, other.joints)
        next(every)


def test_a_crop_shows_what_the_targets_say(scenes: list[Scene]) -> None:
    """The maps of a crop without scaling are those of the scene; keypoints lie on the body."""
    scene = scenes[0]
    left, top, right, bottom = scene.people[0].box
    box = Box(round((left + right) / 2) - 64, round((top + bottom) / 2) - 64, 128, 128)
    one = CropTargets.of(scene, 0, box, 128)
    for row in range(0, 32, 3):
        for column in range(32):
            y, x = int(box.top) + 4 * row + 2, int(box.left) + 4 * column + 2
            inside = 0 <= y < 128 and 0 <= x < 128
            around = np.s_[max(0, y - 2) : max(0, y + 2), max(0, x - 2) : max(0, x + 2)]
            own = (scene.owner[around] == 1) & (scene.part[around] > 0)
            told = 0 < one.part[row, column] < IGNORED
            assert own.any() or not told
            if inside and scene.owner[y, x] == 1 and scene.part[y, x] > 0:
                assert one.part[row, column] == scene.part[y, x]
                np.testing.assert_allclose(one.uv[:, row, column] * 255, scene.uv[:, y, x])
            elif own.size and own.all():
                assert told
    expected = scene.people[0].keypoints[:, :2] - (box.left, box.top)
    np.testing.assert_allclose(one.keypoints[:, :2] * STRIDE, expected, rtol=1e-4, atol=1e-3)


def test_the_camera_of_a_crop_looks_at_it(scenes: list[Scene]) -> None:
    """Turned to the crop, the pelvis of someone in its middle lies ahead, as far as before."""
    scene = scenes[0]
    person, (fx, fy, cx, cy) = scene.people[0], scene.camera
    x, y = person.joints[0, :2] / person.joints[0, 2]
    side = 90.0
    one = CropTargets.of(
        scene, 0, Box(x * fx + cx - side / 2, y * fy + cy - side / 2, side, side), 64
    )
    R = towards(x, y)
    np.testing.assert_allclose(R @ R.T, np.eye(3), atol=1e-12)
    pelvis = R @ person.joints[0]
    distance = float(np.linalg.norm(person.joints[0]))
    np.testing.assert_allclose(pelvis, [0, 0, distance], atol=1e-6)
    turned = (person.joints - person.joints[0]) @ R.T
    # A crop begins at a whole pixel.
    np.testing.assert_allclose(one.joints, turned, atol=5e-3)
    np.testing.assert_allclose(one.joints_in_picture[0], 0, atol=2e-2)


def perfect(wanted: CropTargets) -> Any:
    """The prediction that says what is wanted."""
    from bitpose.train.crop_network import PARTS, Prediction

    part = torch.from_numpy(wanted.part).long()
    logits = torch.nn.functional.one_hot(part.clamp(max=PARTS), 1 + PARTS) * 100.0
    uv = torch.from_numpy(wanted.uv)[:, :, None].expand(-1, -1, PARTS, -1, -1)
    six = torch.from_numpy(wanted.rotations)[..., :2].transpose(-1, -2).reshape(len(part), -1)
    camera = torch.zeros(len(part), 3)
    betas = torch.from_numpy(wanted.betas)
    estimate = torch.cat([six, betas, camera], dim=1)
    cells = torch.arange(part.shape[-1]) + 0.5
    x, y = (torch.as_tensor(wanted.keypoints)[..., i, None] - cells for i in (0, 1))
    heat = -(x[..., None, :] ** 2 + y[..., None] ** 2) / (2 * 1.25**2)
    inside = torch.as_tensor(wanted.keypoints)[..., 2, None, None]
    heat = heat.clamp(min=-60) * inside
    keypoints = torch.from_numpy(wanted.keypoints)[..., :2] * 2 / part.shape[-1] - 1
    return Prediction(logits.permute(0, 3, 1, 2), uv, heat, keypoints, (estimate,))


def test_a_perfect_prediction_costs_nothing(wanted: CropTargets) -> None:
    from bitpose.train.crop_losses import CropLosses

    losses = CropLosses()(perfect(wanted), wanted)
    for name in ("part", "uv", "heat", "places", "rotations", "betas", "joints"):
        assert float(losses[name]) < 1e-5, name


def test_joints_are_those_of_the_body(wanted: CropTargets) -> None:
    from bitpose.train.body_losses import BodyLosses

    found = BodyLosses().joints(torch.from_numpy(wanted.rotations), torch.from_numpy(wanted.betas))
    posed = BodyModel.load().with_shape(wanted.betas).with_pose(wanted.rotations)
    expected = posed.t_world_joint - posed.t_world_joint[:, :1]
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


def test_the_network_starts_from_someone_upright() -> None:
    from bitpose.train.crop_network import CropNetwork, first_estimate, rotations_of

    network = CropNetwork(0.25, SIZE).eval()
    with torch.no_grad():
        found = network(torch.zeros(2, 3, SIZE, SIZE))
    cells = SIZE // STRIDE
    assert found.part.shape == (2, 25, cells, cells)
    assert found.uv.shape == (2, 2, 24, cells, cells)
    assert found.heat.shape == (2, 17, cells, cells)
    assert len(found.estimates) == 3
    assert found.keypoints.shape == (2, 17, 2)
    turned = rotations_of(first_estimate())[0]
    np.testing.assert_allclose(turned[0].numpy(), np.diag([1, -1, -1]), atol=1e-6)
    np.testing.assert_allclose(turned[1:].numpy(), np.tile(np.eye(3), (23, 1, 1)), atol=1e-6)


@pytest.fixture(scope="module")
def seen(scenes: list[Scene]) -> SceneTargets:
    random = np.random.default_rng(0)
    return stacked([x for scene in scenes for x in views(scene, 128, random)])


def test_scene_targets_are_of_who_is_seen(seen: SceneTargets) -> None:
    counts = seen.people.count
    assert (counts == 1).sum() > len(counts)
    for picture, row in zip(*np.nonzero(counts == 1), strict=True):
        left, top, right, bottom = seen.people.box[picture, row]
        rows, columns = np.nonzero(seen.owner[picture] == row + 1)
        assert (left - 2 <= columns * STRIDE + 2).all()
        assert (columns * STRIDE + 2 <= right + 2).all()
        assert (top - 2 <= rows * STRIDE + 2).all()
        assert (rows * STRIDE + 2 <= bottom + 2).all()
        # A body without clothes is about as large as its box.
        inside = np.abs(seen.people.joints_in_picture[picture, row]) < 2
        assert inside.mean() > 0.5
    assert ((seen.part > 0) == (seen.owner > 0)).all()


def chosen(many: Any, row: int) -> Any:
    """One of many targets."""
    values = {field.name: getattr(many, field.name) for field in fields(many)}
    return type(many)(
        **{k: v[row] if isinstance(v, np.ndarray) else chosen(v, row) for k, v in values.items()}
    )


def test_a_perfect_scene_prediction_costs_nothing(seen: SceneTargets) -> None:
    from bitpose.train.crop_network import PARTS
    from bitpose.train.scene_losses import SceneLosses
    from bitpose.train.scene_network import BODY_STRIDE, BOX_STRIDE, ScenePrediction

    # Where boxes of several meet in a pixel, only one of them can be told.
    alone = np.flatnonzero(np.abs(seen.people.count).sum(axis=1) == 1)
    assert len(alone)
    seen = stacked([chosen(seen, int(row)) for row in alone])
    people, count, size = seen.people, len(seen.picture), seen.picture.shape[-1]
    cells = size // BOX_STRIDE
    middle = torch.full((count, 1, cells, cells), -20.0)
    sides = torch.zeros(count, 4, cells, cells)
    estimate = torch.zeros(count, 163, size // BODY_STRIDE, size // BODY_STRIDE)
    towards = torch.zeros(count, 2, size // STRIDE, size // STRIDE)
    at = (torch.arange(size // STRIDE) + 0.5) * STRIDE
    for picture, row in zip(*np.nonzero(people.count == 1), strict=True):
        box = torch.from_numpy(people.box[picture, row])
        x, y = ((box[:2] + box[2:]) / 2).tolist()
        own = torch.from_numpy(seen.owner[picture] == row + 1)
        towards[picture, 0][own] = ((x - at).expand_as(own) / size)[own]
        towards[picture, 1][own] = ((y - at)[:, None].expand_as(own) / size)[own]
        i, j = int(y / BOX_STRIDE), int(x / BOX_STRIDE)
        middle[picture, 0, i, j] = 20.0
        for di in (-1, 0, 1):
            for dj in (-1, 0, 1):
                k, m = min(max(i + di, 0), cells - 1), min(max(j + dj, 0), cells - 1)
                place = torch.tensor([m + 0.5, k + 0.5]) * BOX_STRIDE
                sides[picture, :, k, m] = torch.cat([place - box[:2], box[2:] - place]) / size
        six = torch.from_numpy(people.rotations[picture, row])[..., :2].transpose(-1, -2)
        betas = torch.from_numpy(people.betas[picture, row])
        body = torch.cat([six.reshape(-1), betas, torch.zeros(3)])
        estimate[picture, :, int(y / BODY_STRIDE), int(x / BODY_STRIDE)] = body
    part = torch.from_numpy(seen.part).long()
    logits = torch.nn.functional.one_hot(part.clamp(max=PARTS), 1 + PARTS) * 100.0
    uv = torch.from_numpy(seen.uv)[:, :, None].expand(-1, -1, PARTS, -1, -1)
    heat = torch.zeros(count, 17, *part.shape[1:])
    found = ScenePrediction(middle, sides, logits.permute(0, 3, 1, 2), uv, heat, towards, estimate)
    keypoints = people.keypoints.copy()
    keypoints[..., 2] = 0
    wanted = replace(seen, people=replace(people, keypoints=keypoints))
    losses = SceneLosses()(found, wanted)
    del losses["picture"]
    for name, loss in losses.items():
        assert float(loss) < 1e-2, name


def test_weights_of_a_network_in_onnx(tmp_path: Path) -> None:
    """Folded or quantized ones give the features that their owner has."""
    from bitpose.train.backbone import Backbone
    from bitpose.train.export import export_onnx
    from bitpose.train.pretrained import load_weights

    torch.manual_seed(0)
    pictures = np.random.default_rng(0).integers(0, 256, (4, 3, 64, 64)).astype(np.uint8)
    owner, other = Backbone(0.5), Backbone(0.5)
    for module in owner.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    owner.train()(torch.from_numpy(pictures).float())
    owner.eval()
    path = tmp_path / "owner.onnx"
    export_onnx(owner, torch.zeros(1, 3, 64, 64), ["a", "b", "c", "d"], path)
    load_weights(other, path, pictures)
    with torch.no_grad():
        expected = owner(torch.from_numpy(pictures).float())
        for mode in (False, True):  # In training normalizations are those of the batch.
            found = other.train(mode)(torch.from_numpy(pictures).float())
            for mine, theirs in zip(found, expected, strict=True):
                np.testing.assert_allclose(mine.numpy(), theirs.numpy(), atol=2e-2)
    with pytest.raises(InputError, match="of this width or more"):
        load_weights(Backbone(1.0), path, pictures)
    narrow = Backbone(0.25)
    load_weights(narrow, path, pictures)
    with torch.no_grad():
        size = owner.stages[0][0][0].weight.abs().sum(dim=(1, 2, 3))
        kept = narrow.stages[0][0][0].weight.abs().sum(dim=(1, 2, 3))
    assert (len(size), len(kept)) == (16, 8)
    scale = owner.stages[0][0][1].weight / (owner.stages[0][0][1].running_var + 1e-5).sqrt()
    expected = (size * scale.detach().abs()).sort(descending=True).values[:8]
    np.testing.assert_allclose(kept.sort(descending=True).values.numpy(), expected, rtol=1e-4)


def test_a_quantized_network_computes_as_the_engine(tmp_path: Path, wanted: CropTargets) -> None:
    import bitpose
    from bitpose.train.crop_network import CropNetwork
    from bitpose.train.export import export_network
    from bitpose.train.quantization import calibrate, prepare

    torch.manual_seed(0)
    network = CropNetwork(0.25, SIZE).train()
    pictures = torch.from_numpy(wanted.picture).float()
    for _ in range(20):  # So that normalizations are those of the pictures.
        network(pictures)
    calibrate(prepare(network), pictures)
    export_network(network, SIZE, tmp_path / "network.onnx")
    session = bitpose.InferenceSession(tmp_path / "network.onnx")
    with torch.no_grad():
        found = network(pictures).outputs()
    for row, picture in enumerate(wanted.picture):
        channels_last = np.ascontiguousarray(picture.transpose(1, 2, 0))[None]
        outputs = session.run(list(found), {"picture": channels_last})
        for (name, expected), output in zip(found.items(), outputs, strict=True):
            own = expected[row].numpy()
            own = own.transpose(1, 2, 0) if own.ndim == 3 else own
            # A value in the middle between two codes may become either, and so on behind it, in a
            # network that nobody has trained more than in others.
            noise = np.sqrt(np.mean((output[0] - own) ** 2)) / own.std()
            assert noise < 0.1, name


def test_frozen_stages_stay(scenes: list[Scene]) -> None:
    from bitpose.train.backbone import Backbone

    backbone = Backbone(0.25)
    backbone.freeze(3)
    backbone.train()
    before = [{k: v.clone() for k, v in s.state_dict().items()} for s in backbone.stages]
    optimizer = torch.optim.SGD(backbone.parameters(), lr=0.1)
    sum(x.square().mean() for x in backbone(torch.rand(4, 3, 64, 64) * 255)).backward()
    optimizer.step()
    for number, (old, stage) in enumerate(zip(before, backbone.stages, strict=True)):
        same = [bool((old[k] == v).all()) for k, v in stage.state_dict().items()]
        assert all(same) == (number < 3)


def run(folder: Path, *more: str) -> list[list[str]]:
    """The rows of losses of a small run of 4 steps."""

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

    with pytest.raises(InputError, match="another run"):
        main(tmp_path, batch=4, width=0.25, size=64, steps=4, workers=0)
    with pytest.raises(InputError, match="crop, boxes, scene"):
        main(tmp_path, design="none")


def test_a_run_begins_with_what_another_of_another_size_has_learnt(tmp_path: Path) -> None:
    from bitpose.train.runs import load_network

    run(tmp_path / "small", "--minutes", "0")
    start = ["--start", str(tmp_path / "small" / "last.pt")]
    run(tmp_path / "large", "--minutes", "0", *start, "--size", "96", "--rate", "0")
    small, large = (load_network(tmp_path / x / "last.pt")[0].pooled for x in ("small", "large"))
    kernels = small[1].weight, large[1].weight
    assert [tuple(x.shape[2:]) for x in kernels] == [(2, 2), (3, 3)]
    # What is the same everywhere gives the same.
    first, second = (x.sum(dim=(2, 3)).detach().numpy() for x in kernels)
    np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-6)
