# SPDX-License-Identifier: Apache-2.0
"""Keypoints of real networks on real photos."""

from __future__ import annotations

import csv
import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bitpose.pose.decode import Keypoints, find_convention
from bitpose.pose.feed import PictureInput
from bitpose.pose.photo import Box, crop, letterbox, load_photo
from bitpose.session import InferenceSession

from .. import shared

COCO_PHOTOS = ("000000000785", "000000040083", "000000196141", "000000197388")


def keypoints(session: InferenceSession, name: str, box: Box | None = None) -> Keypoints:
    source = PictureInput.of(session.get_inputs())
    size = source.height, source.width
    convention = find_convention([tuple(y.extents) for y in session.get_outputs()], *size)
    assert convention is not None
    photo = load_photo(shared.image(name))
    part, left, top = crop(photo, box.square()) if box is not None else (photo, 0, 0)
    picture, placement = letterbox(part, *size)
    outputs = session.run(None, source.feed(picture, convention.pixels))
    return convention.decode(outputs, *size).placed(placement.shifted(left, top))


@pytest.fixture(scope="module")
def movenet() -> InferenceSession:
    return InferenceSession(shared.model("movenet_lightning_ptq"))


@pytest.fixture(scope="module")
def pem_cpm() -> InferenceSession:
    return InferenceSession(shared.model("pem_cpm"))


def squat_reference() -> NDArray[Any]:
    """The keypoints that MoveNet's authors give for coral_squat.bmp, in its pixels."""
    photo = load_photo(shared.image("coral_squat.bmp"))
    with shared.image("coral_movenet_lightning_reference.csv").open(newline="") as file:
        rows = [(float(r["keypoint_x"]), float(r["keypoint_y"])) for r in csv.DictReader(file)]
    return np.array(rows) * photo.size


def test_movenet_agrees_with_its_reference(movenet: InferenceSession) -> None:
    found = keypoints(movenet, "coral_squat.bmp")
    expected = squat_reference()
    distance = np.hypot(*(found.xy - expected).T)
    person = np.ptp(expected, axis=0).max()  # The longer side of the person's box.
    assert distance.mean() <= 0.03 * person
    # onnxruntime's runs of the model as it stands reach 0.11 if 1 % of the pixels change by 1.
    assert distance.max() <= 0.12 * person
    assert (found.score > 0.15).all()


def largest_person(photo: str) -> tuple[Box, NDArray[Any], NDArray[Any]]:
    """Of those annotated in a photo: the box, xy [17, 2], visible [17]."""
    truth = json.loads(shared.image("coco/keypoints.json").read_text())
    rows = [row for row in truth["annotations"] if row["image_id"] == int(photo)]
    row = max(rows, key=lambda row: float(row["bbox"][2] * row["bbox"][3]))
    points = np.array(row["keypoints"], np.float64).reshape(17, 3)
    return Box(*row["bbox"]), points[:, :2], points[:, 2] > 0


@pytest.mark.parametrize("photo", COCO_PHOTOS)
def test_movenet_finds_people(movenet: InferenceSession, photo: str) -> None:
    """Against people's annotations: most keypoints that it is sure of are right.

    The bounds leave room for the noise of the 8-bit model: with 1 % of the pixels changed by 1,
    onnxruntime's runs of it as it stands find between 0.78 and 1 of them within a tenth of the box.
    """
    box, xy, visible = largest_person(photo)
    found = keypoints(movenet, f"coco/{photo}.jpg", box)
    sure = visible & (found.score > 0.3)
    distance = np.hypot(*(found.xy - xy).T)[sure] / max(box.width, box.height)
    assert sure.sum() >= 6
    assert distance.mean() < 0.06
    assert np.mean(distance < 0.1) >= 0.75


@pytest.mark.parametrize("photo", ["coral_squat.bmp", "coco/000000000785.jpg"])
def test_two_networks_agree_on_limbs(
    movenet: InferenceSession, pem_cpm: InferenceSession, photo: str
) -> None:
    """Independent networks, decoders and pixel formats: a side mixed up would show."""
    a, b = keypoints(movenet, photo), keypoints(pem_cpm, photo)
    size = np.ptp(a.xy, axis=0).max()
    names = [name for name in a.skeleton.keypoints if name in b.skeleton.keypoints]
    near = 0
    for name in names:
        i, j = a.skeleton.keypoints.index(name), b.skeleton.keypoints.index(name)
        near += bool(np.hypot(*(a.xy[i] - b.xy[j])) < 0.12 * size)
    assert len(names) == 12
    assert near >= 8


def test_pem_cpm_agrees_with_onnxruntime(pem_cpm: InferenceSession) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    peer = onnxruntime.InferenceSession(str(shared.model("pem_cpm")))
    picture, _ = letterbox(load_photo(shared.image("coral_squat.bmp")), 192, 192)
    feed = {"image": picture[None, ..., ::-1].astype(np.float32)}
    (expected,) = peer.run(None, feed)
    (got,) = pem_cpm.run(None, feed)
    np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-4)
