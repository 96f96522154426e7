# SPDX-License-Identifier: Apache-2.0
"""Files in COCO's format: masks like pycocotools', figures like its own from the same files."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from bitpose.errors import InputError
from bitpose.metrics import DETECTION, PEOPLE, average_precision
from bitpose.metrics.coco import Kind, read
from bitpose.metrics.coco_masks import decode

SEED = st.integers(0, 2**32)


# pycocotools' decode is not ready for numpy 2.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@given(
    seed=SEED,
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    corners=st.integers(3, 12),
    step=st.sampled_from([0.01, 0.1, 0.5, 1.0]),
)
def test_polygons(seed: int, height: int, width: int, corners: int, step: float) -> None:
    rng = np.random.default_rng(seed)
    low, high = (-0.3, 1.3) if rng.random() < 0.5 else (0, 1)
    polygons = [
        (np.round(rng.uniform(low, high, (corners, 2)) * [width, height] / step) * step).ravel()
        for _ in range(rng.integers(1, 3))
    ]
    if rng.random() < 0.3:
        polygons[0][2:4] = polygons[0][:2]
    segmentation = [polygon.tolist() for polygon in polygons]
    theirs = coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width)))
    np.testing.assert_array_equal(decode(segmentation, height, width), theirs != 0)


@given(seed=SEED, height=st.integers(1, 60), width=st.integers(1, 60))
def test_runs(seed: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((height, width)) < rng.choice([0, 0.01, 0.5, 1])
    packed = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    np.testing.assert_array_equal(decode(packed, height, width), mask)
    text = {"size": packed["size"], "counts": packed["counts"].decode()}
    np.testing.assert_array_equal(decode(text, height, width), mask)
    flat = mask.T.ravel()
    ends = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff([0, *ends, len(flat)]).tolist()
    plain = {"size": [height, width], "counts": [0, *counts] if flat[0] else counts}
    np.testing.assert_array_equal(decode(plain, height, width), mask)


@pytest.mark.parametrize(
    ("segmentation", "message"),
    [
        ("abc", "must be a list of polygons"),
        (7, "must be a list of polygons"),
        ([[0, 0, 1, 1]], "at least six numbers"),
        ([[0, 0, 1, 1, 2, 2, 3]], "at least six numbers"),
        ([[0, 0, 1, 1, 2, "a"]], "at least six numbers"),
        ([[0, 0, 1, 1, 2, float("nan")]], "must lie within"),
        ([[0, 0, 1, 1, 2, 1e30]], "must lie within"),
        ({"size": [4, 5], "counts": [30]}, "the image has"),
        ({"counts": [30]}, "the image has"),
        ({"size": [5, 6], "counts": [29]}, "must add up"),
        ({"size": [5, 6], "counts": [2**62, 2**62, 2**62, 2**62]}, "must add up"),
        ({"size": [5, 6], "counts": [-1, 31]}, "not negative"),
        ({"size": [5, 6], "counts": [[30]]}, "not negative"),
        ({"size": [5, 6]}, "not negative"),
        ({"size": [5, 6], "counts": "n~"}, "no packed string"),
        ({"size": [5, 6], "counts": "oooooooooooooo0"}, "no packed string"),
        ({"size": [5, 6], "counts": "o"}, "end within a number"),
    ],
)
def test_malformed_masks(segmentation: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        decode(segmentation, 5, 6)


def test_impossible_extents() -> None:
    for height, width in [(0, 4), (4, 1 << 20)]:
        with pytest.raises(InputError, match="extents must be"):
            decode([], height, width)


def dataset(seed: int) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """Annotations with all that each kind needs, and results of each kind near to them."""
    rng = np.random.default_rng(seed)
    images = [{"id": int(i), "height": 120, "width": 160} for i in rng.permutation(5) * 7]
    annotations: list[dict[str, Any]] = []
    results: dict[str, list[dict[str, Any]]] = {"boxes": [], "masks": [], "keypoints": []}
    for image in images:
        for _ in range(rng.integers(0, 4)):
            left, top = rng.integers(0, 80, 2)
            width, height = rng.integers(10, 100, 2)
            crowd = int(rng.random() < 0.2)
            corners = [left, top, left + width, top, left + width, top + height, left, top + height]
            shape: Any = [[float(c) for c in corners]]
            common = {"image_id": image["id"], "category_id": 1}
            if crowd:
                covered = coco_mask.frPyObjects(shape, 120, 160)[0]
                shape = {"size": [120, 160], "counts": covered["counts"].decode()}
            seen = rng.integers(0, 3, 17)
            points = np.column_stack([rng.uniform(0, 100, (17, 2)).round(1), seen])
            annotations.append(
                {
                    **common,
                    "id": len(annotations) + 1,
                    "iscrowd": crowd,
                    "bbox": [float(x) for x in (left, top, width, height)],
                    "area": float(0.7 * width * height),
                    "segmentation": shape,
                    "keypoints": points.ravel().tolist(),
                    "num_keypoints": int((seen > 0).sum()),
                }
            )
            for _ in range(rng.integers(0, 3)):
                scored = {**common, "score": float(rng.choice([0.2, rng.random()]))}
                box = annotations[-1]["bbox"] + rng.integers(-3, 4, 4)
                results["boxes"].append({**scored, "bbox": box.tolist()})
                mask = np.zeros((120, 160), np.uint8)
                mask[top + 2 : top + height, left : left + width] = 1
                packed = coco_mask.encode(np.asfortranarray(mask))
                text = {"size": packed["size"], "counts": packed["counts"].decode()}
                results["masks"].append({**scored, "segmentation": text})
                moved = points + rng.normal(0, 2, points.shape)
                results["keypoints"].append({**scored, "keypoints": moved.ravel().tolist()})
    content = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "person", "keypoints": [str(i) for i in range(17)]}],
    }
    return content, results


@pytest.mark.parametrize("kind", ["boxes", "masks", "keypoints"])
@pytest.mark.parametrize("seed", range(4))
def test_figures_are_those_of_pycocotools(tmp_path: Path, kind: Kind, seed: int) -> None:
    content, results = dataset(seed)
    paths = tmp_path / "annotations.json", tmp_path / "results.json"
    for path, value in zip(paths, (content, results[kind]), strict=True):
        path.write_text(json.dumps(value))
    name = {"boxes": "bbox", "masks": "segm", "keypoints": "keypoints"}[kind]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(paths[0]))
        evaluation = COCOeval(truth, truth.loadRes(str(paths[1])), name)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    protocol = PEOPLE if kind == "keypoints" else DETECTION
    ours = average_precision(read(*paths, kind), protocol).summary
    figures = np.nan_to_num(list(ours.values()), nan=-1)
    np.testing.assert_allclose(figures, evaluation.stats, atol=1e-9)
    assert 0.05 < ours["AP"] < 1
    in_memory = average_precision(read(content, results[kind], kind), protocol).summary
    np.testing.assert_array_equal(list(in_memory.values()), list(ours.values()))


IMAGE = {"id": 1, "height": 5, "width": 6}
TRUTH = {"image_id": 1, "category_id": 1, "area": 4, "iscrowd": 0, "bbox": [0, 0, 2, 2]}
RESULT = {"image_id": 1, "category_id": 1, "score": 0.5, "bbox": [0, 0, 2, 2]}


@pytest.mark.parametrize(
    ("annotations", "results", "message"),
    [
        ([], [], "annotations must be an object"),
        ({}, [], "a list of images"),
        ({"images": [IMAGE]}, [], "a list of annotations"),
        ({"images": [IMAGE], "annotations": [3]}, [], "annotation 0 must be an object"),
        ({"images": [{}], "annotations": []}, [], "image 0 has no id"),
        ({"images": [IMAGE], "annotations": []}, {}, "results a list"),
        ({"images": [IMAGE], "annotations": []}, [RESULT | {"image_id": 2}], "is of image 2"),
        ({"images": [IMAGE], "annotations": []}, [RESULT | {"bbox": [1, 2]}], "4 finite numbers"),
        ({"images": [IMAGE], "annotations": []}, [RESULT | {"bbox": [[1], 2]}], "4 finite"),
        ({"images": [IMAGE], "annotations": []}, [RESULT | {"score": "high"}], "score of result 0"),
        ({"images": [IMAGE], "annotations": []}, [RESULT | {"score": None}], "score of result 0"),
        ({"images": [IMAGE], "annotations": [TRUTH | {"area": "x"}]}, [], "area of annotation 0"),
        ({"images": [IMAGE], "annotations": [TRUTH | {"iscrowd": "no"}]}, [], "an integer"),
    ],
)
def test_malformed_files(annotations: Any, results: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(annotations, results, "boxes")


def test_what_is_no_json(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    for content in (b"{", b"\xff\xfe", b"[" * 100_000):
        path.write_bytes(content)
        with pytest.raises(InputError, match="is not JSON"):
            read(path, [], "boxes")


def test_unknown_kind() -> None:
    kind: Any = "people"
    with pytest.raises(InputError, match="kind is 'people'"):
        read({"images": [], "annotations": []}, [], kind)
