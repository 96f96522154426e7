# SPDX-License-Identifier: Apache-2.0
"""From photos to people, with networks whose answers are known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import bitpose
from bitpose.body import BodyModel
from bitpose.body.mesh_files import read_mesh
from bitpose.errors import InputError
from bitpose.pose.estimate import Estimator
from bitpose.pose.files import write_people
from bitpose.pose.person import coco_results
from bitpose.pose.photo import load_photo
from bitpose.pose.skeleton import COCO_17

from .. import shared
from ..tiny import constant

Array = NDArray[Any]
WIDTH, HEIGHT = 240, 320
FOCAL = 480.0


def constant_network(output: Array, extent: int) -> bitpose.InferenceSession:
    return bitpose.InferenceSession(constant(output, extent).SerializeToString())


def standing() -> Array:
    """Pixels [17, 2] of COCO's keypoints of the default body 3 m away, a little turned."""
    model = BodyModel.load(dtype=np.float64)
    pose = np.zeros(72)
    pose[:3] = (np.pi * 0.98, 0.0, 0.3)  # Upright for a camera that looks along z.
    pose[3 * 16 + 2], pose[3 * 17 + 2] = -1.1, 1.1  # Arms down.
    vertices = model.with_shape().with_axis_angle(pose, (0.1, 0.0, 3.0)).vertices()
    points = model.keypoints["COCO-17"].positions(vertices)
    return np.asarray(points[:, :2] / points[:, 2:] * FOCAL + (WIDTH / 2, HEIGHT / 2))


def movenet(xy: Array, score: float = 0.9) -> bitpose.InferenceSession:
    """It sees these pixels of a photo 240 x 320 in its middle."""
    scale, left = 192 / HEIGHT, (192 - WIDTH * 192 / HEIGHT) / 2
    seen = np.stack([xy[:, 1] * scale / 192, (xy[:, 0] * scale + left) / 192], 1)
    return constant_network(np.column_stack([seen, np.full(17, score)])[None, None], 192)


def photo(width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    return Image.new("RGB", (width, height), (90, 120, 150))


@pytest.fixture(scope="module")
def people() -> list[Any]:
    return Estimator(movenet(standing()), focal=FOCAL)(photo())


def test_a_body_stands_where_its_keypoints_are(people: list[Any]) -> None:
    (person,) = people
    xy = standing()
    np.testing.assert_allclose(person.keypoints.xy, xy, atol=0.01)
    assert person.score == pytest.approx(0.9)
    np.testing.assert_allclose(person.box, [*xy.min(0), *xy.max(0)], atol=0.01)
    model = BodyModel.load()
    points = model.keypoints["COCO-17"].positions(person.mesh.vertices)
    seen, depth = person.camera.project(points)
    assert np.linalg.norm(seen - xy, axis=1).mean() < 0.01 * np.ptp(xy, axis=0).max()
    assert np.abs(depth - 3).max() < 0.6
    mask = person.maps.mask
    columns = np.nonzero(mask)[1]
    assert abs(columns.mean() - xy[:, 0].mean()) < 10
    assert set(np.unique(person.maps.part[mask])) <= set(range(1, 25))


def test_files(people: list[Any], tmp_path: Path) -> None:
    written = write_people(people, photo(), tmp_path / "folder")
    assert all(path.exists() for path in written)
    found = json.loads((tmp_path / "folder" / "people.json").read_text())
    assert (found["version"], found["width"], found["height"]) == (1, WIDTH, HEIGHT)
    (person,) = found["people"]
    shapes = {"box": (4,), "keypoints": (17, 3), "joints": (24, 3), "pose": (24, 3)}
    shapes |= {"betas": (16,), "translation": (3,), "uncertainty": (24, 3)}
    assert {name: np.shape(person[name]) for name in shapes} == shapes
    assert person["camera"] == {"focal": FOCAL, "center": [WIDTH / 2, HEIGHT / 2]}
    posed = (
        BodyModel.load()
        .with_shape(person["betas"])
        .with_axis_angle(np.reshape(person["pose"], 72), person["translation"])
    )
    np.testing.assert_allclose(posed.t_world_joint, person["joints"], atol=2e-3)
    mesh = read_mesh(tmp_path / "folder" / "person1.obj")
    expected = people[0].mesh.vertices * [1, -1, -1]
    np.testing.assert_allclose(mesh.vertices, expected, atol=1e-5)
    iuv = np.asarray(Image.open(tmp_path / "folder" / "iuv.png"))
    np.testing.assert_array_equal(iuv, people[0].maps.iuv)


def test_coco_results(people: list[Any]) -> None:
    (result,) = coco_results(people, 7)
    assert (result["image_id"], result["category_id"]) == (7, 1)
    np.testing.assert_allclose(result["keypoints"], people[0].keypoints.rows.ravel(), atol=1e-3)
    assert result["score"] == pytest.approx(0.81, abs=1e-4)


def test_nobody() -> None:
    assert Estimator(movenet(standing(), score=0.0))(photo()) == []


def test_boxes_come_from_a_detector() -> None:
    output = np.zeros((1, 21, 6), np.float32)
    output[0, 20] = (0.5, 0.5, np.log(1 / 2), np.log(1 / 2), 0.9, 0.8)  # In the middle of 32 x 32.
    detector = constant_network(output, 32)
    (person,) = Estimator(movenet(standing()), detector)(photo(640, 640))
    np.testing.assert_allclose(person.box, (160, 160, 480, 480), atol=0.01)
    assert person.score == pytest.approx(0.72)
    # The network sees the box, [160, 480], in 192 pixels.
    nose = person.keypoints.xy[0]
    assert (nose > 160).all()
    assert (nose < 480).all()
    assert Estimator(movenet(standing()), detector, threshold=0.8)(photo(640, 640)) == []


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (4000, 3000)])
def test_odd_sizes(size: tuple[int, int]) -> None:
    for person in Estimator(movenet(standing()))(photo(*size)):
        assert np.isfinite(person.keypoints.xy).all()


def test_networks_of_no_known_kind_are_refused() -> None:
    other = constant_network(np.zeros((1, 5)), 32)
    with pytest.raises(InputError, match="keypoint network has the outputs float32"):
        Estimator(other)
    with pytest.raises(InputError, match="detector has the outputs"):
        Estimator(movenet(standing()), other)
    faces = np.zeros((1, 7, 2))
    with pytest.raises(InputError, match="detector"):
        Estimator(movenet(standing()), constant_network(faces, 32))


def test_the_face_of_the_package(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    photo().save(path)
    (person,) = bitpose.estimate(path, movenet(standing()))
    assert person.keypoints.skeleton is COCO_17


def silhouette(name: str) -> NDArray[np.bool_]:
    """The person in a photo as BodyPix sees them, [height, width]."""
    picture = load_photo(shared.image(name))
    session = bitpose.InferenceSession(
        shared.model("bodypix_mnv1_050_s16"), shapes={"input": (1, 513, 417, 3)}
    )
    small = np.asarray(picture.resize((417, 513)), np.float32) / 127.5 - 1
    (segments,) = session.run(["segments"], {"input": small[None]})
    mask = Image.fromarray(segments[0, ..., 0].astype(np.float32)).resize(picture.size)
    return np.asarray(mask) > 0


def test_a_man_squats() -> None:
    estimator = Estimator(shared.model("movenet_lightning_ptq"), shared.model("yolox_nano"))
    (person,) = estimator(shared.image("coral_squat.bmp"))
    assert person.maps is not None
    assert person.mesh is not None
    body, seen = person.maps.mask, silhouette("coral_squat.bmp")
    iou = (body & seen).sum() / (body | seen).sum()
    assert iou >= 0.75
    points = BodyModel.load().keypoints["COCO-17"].positions(person.mesh.vertices)
    xy, _ = person.camera.project(points)
    sure = person.keypoints.score >= 0.3
    left, top, right, bottom = person.box
    distance = np.linalg.norm(xy - person.keypoints.xy, axis=1)[sure]
    assert distance.mean() <= 0.06 * max(right - left, bottom - top)
