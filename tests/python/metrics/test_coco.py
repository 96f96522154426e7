# SPDX-License-Identifier: Apache-2.0
"""Average precision equals pycocotools', on boxes, masks and keypoints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from bitpose.metrics import (
    DETECTION,
    PEOPLE,
    AveragePrecision,
    Image,
    Protocol,
    average_precision,
    box_iou,
    mask_iou,
    oks,
)
from bitpose.metrics.keypoints import keypoints_area

from .coco import Annotation, evaluate

Generator = np.random.Generator
Similarity = Callable[[list[Annotation], list[Annotation]], NDArray[np.float64]]
CANVAS = 200


def collect(
    truths: Sequence[Annotation],
    results: Sequence[Annotation],
    images: int,
    categories: int,
    similarity: Similarity,
) -> list[Image]:
    """The annotations as our images, in the order in which pycocotools goes through them."""
    collected = []
    for category in range(1, categories + 1):
        for image in range(1, images + 1):
            here = [
                [a for a in group if (a["image_id"], a["category_id"]) == (image, category)]
                for group in (truths, results)
            ]
            g, d = here
            collected.append(
                Image(
                    similarity(d, g),
                    np.array([a["score"] for a in d], np.float64),
                    np.array([a["area"] for a in d], np.float64),
                    np.array([a["area"] for a in g], np.float64),
                    np.array([a["iscrowd"] for a in g], np.bool_),
                    np.array([a.get("num_keypoints", 1) == 0 for a in g], np.bool_),
                    category,
                )
            )
    return collected


def assert_equal(ours: AveragePrecision, theirs: tuple[NDArray[np.float64], ...]) -> None:
    precision, recall, stats = theirs
    np.testing.assert_allclose(np.nan_to_num(ours.precision, nan=-1), precision, atol=1e-9)
    np.testing.assert_allclose(np.nan_to_num(ours.recall, nan=-1), recall, atol=1e-9)
    if stats.size:
        figures = np.nan_to_num(np.array(list(ours.summary.values())), nan=-1)
        np.testing.assert_allclose(figures, stats, atol=1e-9)


def random_boxes(rng: Generator, count: int) -> NDArray[np.float64]:
    """On a coarse grid, of all sizes, so that overlaps and areas are often equal."""
    extent = rng.choice([0, 8, 16, 32, 40, 96, 120], (count, 2))
    return np.concatenate([rng.integers(0, 10, (count, 2)) * 8.0, extent], axis=1)


def scattered(
    rng: Generator, images: int, categories: int, most: int, crowds: bool
) -> tuple[list[Annotation], list[Annotation]]:
    """True objects without a place, and results near some of them or anywhere."""
    truths: list[Annotation] = []
    results: list[Annotation] = []
    for image in range(1, images + 1):
        for category in range(1, categories + 1):
            common = {"image_id": image, "category_id": category}
            for _ in range(rng.integers(0, most + 1)):
                crowd = int(crowds and rng.random() < 0.25)
                truths.append({**common, "id": len(truths) + 1, "iscrowd": crowd})
            for _ in range(rng.integers(0, 2 * most + 1)):
                score = float(rng.choice([0.1, 0.3, 0.5, 0.9, rng.random()]))
                results.append({**common, "id": len(results) + 1, "score": score, "iscrowd": 0})
    return truths, results


def near(rng: Generator, result: Annotation, truths: list[Annotation]) -> Annotation | None:
    """One of the true objects of the result's image and category, or None, now and then."""
    key = ("image_id", "category_id")
    same = [t for t in truths if all(t[k] == result[k] for k in key)]
    return same[rng.integers(len(same))] if same and rng.random() < 0.8 else None


def box_problem(rng: Generator, **options: Any) -> tuple[list[Annotation], list[Annotation]]:
    truths, results = scattered(rng, **options)
    for truth in truths:
        truth["bbox"] = random_boxes(rng, 1)[0].tolist()
        exact = truth["bbox"][2] * truth["bbox"][3]
        # The area of an object is that of its mask: smaller than its box, and sometimes a limit.
        truth["area"] = float(rng.choice([exact, 0.6 * exact, 1024, 9216]))
    for result in results:
        similar = near(rng, result, truths)
        box = random_boxes(rng, 1)[0] if similar is None else np.array(similar["bbox"])
        if rng.random() < 0.7:
            box = box + rng.choice([0, 0, 1, 4, 8], 4) * rng.choice([-1, 1], 4)
        box[2:] = np.maximum(box[2:], 0)
        result["bbox"] = box.tolist()
        result["area"] = float(box[2] * box[3])
    return truths, results


def box_similarity(d: list[Annotation], g: list[Annotation]) -> NDArray[np.float64]:
    return box_iou([a["bbox"] for a in d], [a["bbox"] for a in g], [a["iscrowd"] for a in g])


PROBLEM = {
    "seed": st.integers(0, 2**32),
    "images": st.integers(1, 4),
    "categories": st.integers(1, 2),
    "most": st.sampled_from([0, 1, 3, 6]),
    "crowds": st.booleans(),
}


@given(**PROBLEM)
def test_boxes(seed: int, images: int, categories: int, most: int, crowds: bool) -> None:
    options = {"images": images, "categories": categories, "most": most, "crowds": crowds}
    truths, results = box_problem(np.random.default_rng(seed), **options)
    ours = average_precision(
        collect(truths, results, images, categories, box_similarity), DETECTION
    )
    assert_equal(ours, evaluate("bbox", truths, results, images, categories))


@given(seed=st.integers(0, 2**32), limits=st.sampled_from([(1, 2, 3), (2, 5, 9), (1, 1, 2)]))
def test_more_detections_than_count(seed: int, limits: tuple[int, ...]) -> None:
    truths, results = box_problem(
        np.random.default_rng(seed), images=3, categories=1, most=8, crowds=True
    )
    ours = average_precision(
        collect(truths, results, 3, 1, box_similarity), Protocol(DETECTION.areas, limits)
    )
    assert_equal(ours, evaluate("bbox", truths, results, 3, 1, limits))


def box(*ltwh: float, score: float | None = None, crowd: int = 0) -> Annotation:
    common = {"image_id": 1, "category_id": 1, "bbox": list(ltwh), "iscrowd": crowd}
    area = {"area": float(ltwh[2] * ltwh[3])}
    return common | area | ({} if score is None else {"score": score})


# True boxes, detections, AP at the threshold 0.5.
CASES: dict[str, tuple[list[Annotation], list[Annotation], float]] = {
    "nothing at all": ([], [], float("nan")),
    "nothing found": ([box(0, 0, 9, 9)], [], 0.0),
    "nothing there": ([], [box(0, 0, 9, 9, score=0.5)], float("nan")),
    "exact": ([box(0, 0, 9, 9)], [box(0, 0, 9, 9, score=0.5)], 1.0),
    "twice": ([box(0, 0, 9, 9)], [box(0, 0, 9, 9, score=0.5)] * 2, 1.0),
    "a wrong one first": (
        [box(0, 0, 9, 9)],
        [box(0, 0, 9, 9, score=0.5), box(50, 0, 9, 9, score=0.6)],
        0.5,
    ),
    "of two equal overlaps the last": (
        [box(8, 0, 10, 10), box(12, 0, 10, 10)],
        [box(10, 0, 10, 10, score=0.9), box(8, 0, 10, 10, score=0.8)],
        1.0,
    ),
    "of equal scores the first detection": (
        [box(0, 0, 10, 10)],
        [box(40, 0, 10, 10, score=0.5), box(0, 0, 10, 10, score=0.5)],
        0.5,
    ),
    "a crowd is no miss": (
        [box(0, 0, 100, 100, crowd=1), box(0, 150, 9, 9)],
        [box(1, 1, 9, 9, score=0.9), box(50, 50, 9, 9, score=0.8), box(0, 150, 9, 9, score=0.1)],
        1.0,
    ),
    "no area": ([box(5, 5, 0, 10)], [box(5, 5, 0, 10, score=0.4)], 0.0),
    "touching": ([box(0, 0, 10, 10)], [box(10, 0, 10, 10, score=0.4)], 0.0),
    "half": ([box(0, 0, 10, 10)], [box(0, 0, 10, 5, score=0.4)], 1.0),
}


@pytest.mark.parametrize("name", CASES)
def test_cases(name: str) -> None:
    truths, results, expected = CASES[name]
    truths, results = ([{**a, "id": i + 1} for i, a in enumerate(x)] for x in (truths, results))
    ours = average_precision(collect(truths, results, 1, 1, box_similarity), DETECTION)
    np.testing.assert_allclose(ours.ap(threshold=0.5), expected, atol=1e-12)
    assert_equal(ours, evaluate("bbox", truths, results, 1, 1))


def random_mask(rng: Generator) -> NDArray[np.uint8]:
    mask = np.zeros((CANVAS, CANVAS), np.uint8)
    for left, top, width, height in random_boxes(rng, int(rng.integers(0, 4))).astype(int):
        mask[top : top + height, left : left + width] = 1
    return mask


def mask_similarity(d: list[Annotation], g: list[Annotation]) -> NDArray[np.float64]:
    shape = (0, CANVAS, CANVAS)
    masks = [np.array([a["mask"] for a in group]) if group else np.zeros(shape) for group in (d, g)]
    return mask_iou(masks[0], masks[1], [a["iscrowd"] for a in g])


@given(**PROBLEM)
def test_masks(seed: int, images: int, categories: int, most: int, crowds: bool) -> None:
    rng = np.random.default_rng(seed)
    truths, results = scattered(rng, images, categories, min(most, 3), crowds)
    for truth in truths:
        truth["mask"] = random_mask(rng)
    for result in results:
        similar = near(rng, result, truths)
        mask = random_mask(rng) if similar is None else similar["mask"].copy()
        mask[: rng.integers(0, 30)] = rng.integers(0, 2)
        result["mask"] = mask
    for annotation in truths + results:
        annotation["segmentation"] = coco_mask.encode(np.asfortranarray(annotation["mask"]))
        annotation["area"] = float(annotation["mask"].sum())
    ours = average_precision(
        collect(truths, results, images, categories, mask_similarity), DETECTION
    )
    plain = [
        [{k: v for k, v in a.items() if k != "mask"} for a in group] for group in (truths, results)
    ]
    assert_equal(ours, evaluate("segm", plain[0], plain[1], images, categories))


def keypoint_similarity(d: list[Annotation], g: list[Annotation]) -> NDArray[np.float64]:
    points = [
        np.array([a["keypoints"] for a in group], np.float64).reshape(-1, 17, 3) for group in (d, g)
    ]
    return oks(
        points[0][..., :2],
        points[1][..., :2],
        points[1][..., 2],
        np.array([a["area"] for a in g], np.float64),
        [a["bbox"] for a in g],
    )


@given(**PROBLEM)
def test_keypoints(seed: int, images: int, categories: int, most: int, crowds: bool) -> None:
    rng = np.random.default_rng(seed)
    truths, results = scattered(rng, images, 1, most, crowds)
    for truth in truths:
        truth["bbox"] = random_boxes(rng, 1)[0].tolist()
        truth["area"] = float(rng.choice([0, 1024, 2000, 9216, 20000]))
        xy = np.floor(rng.random((17, 2)) * CANVAS)
        visibility = rng.integers(0, 3, 17) * (rng.random() < 0.8)
        truth["keypoints"] = np.column_stack([xy, visibility]).ravel().tolist()
        truth["num_keypoints"] = int((visibility > 0).sum())
    for result in results:
        similar = near(rng, result, truths)
        xy = rng.random((17, 2)) * CANVAS
        if similar is not None:
            noise = rng.choice([0, 0.5, 2, 6]) * rng.normal(size=(17, 2))
            xy = np.array(similar["keypoints"], np.float64).reshape(17, 3)[:, :2] + noise
        result["keypoints"] = np.column_stack([xy, np.ones(17)]).ravel().tolist()
        result["area"] = float(keypoints_area(xy[None])[0])
    ours = average_precision(collect(truths, results, images, 1, keypoint_similarity), PEOPLE)
    assert_equal(ours, evaluate("keypoints", truths, results, images, 1))


@pytest.mark.parametrize("crowd", [False, True])
def test_overlaps_equal_pycocotools(crowd: bool) -> None:
    rng = np.random.default_rng(0)
    flags = (rng.random(20) < 0.5) & crowd
    d, g = random_boxes(rng, 30), random_boxes(rng, 20)
    expected = coco_mask.iou(d, g, flags.astype(np.uint8))
    np.testing.assert_allclose(box_iou(d, g, flags), expected, atol=1e-12)
    masks = [np.array([random_mask(rng) for _ in range(count)], np.uint8) for count in (30, 20)]
    encoded = [[coco_mask.encode(np.asfortranarray(m)) for m in group] for group in masks]
    expected = coco_mask.iou(*encoded, flags.astype(np.uint8))
    np.testing.assert_allclose(mask_iou(masks[0], masks[1], flags), expected, atol=1e-12)
