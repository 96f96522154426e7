# SPDX-License-Identifier: Apache-2.0
"""`python -m bench.pose [people.bpm]`: people that pairs of networks, and files of
`python -m bitpose.train.publish`, find in the photos of ../shared.

Boxes and keypoints by COCO's measures against its annotations of 14 persons in four photos, with
the networks in float, as they are or in int8 by three of the photos and parts of them; how many of
the persons above a tenth of the photo's height have a box (IoU >= 0.5); the mean OKS of those above
a quarter of it, 0 for who was not found; and how far the fitted body is from the keypoints it was
fitted to, as a share of the box.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import bitpose
from bench.accuracy.judge import Trial
from bench.accuracy.networks import NETWORKS
from bench.accuracy.photos import SHARED
from bitpose.body import BodyModel
from bitpose.cli.console import Report, console
from bitpose.cli.machine import describe
from bitpose.metrics import DETECTION, PEOPLE, average_precision, box_iou, coco, oks
from bitpose.pose.estimate import Estimator
from bitpose.pose.person import Person, coco_results

_COCO = SHARED / "images" / "coco"
_DETECTORS = ("yolox_nano", "nanodet_m_320", "ssd_mobilenet_v1_coco_quant")
_POSING = ("movenet_lightning_ptq", "EfficientPoseRT_LITE", "bodypix_mnv1_050_s16")
#: They come in 8 bits.
_QUANTIZED = ("ssd_mobilenet_v1_coco_quant", "movenet_lightning_ptq")
_SURE = 0.3
#: Of a photo's height.
_LARGE = 0.25


def session(name: str, precision: str) -> bitpose.InferenceSession:
    path = SHARED / "models" / f"{name}.onnx"
    if name in _QUANTIZED:
        return bitpose.InferenceSession(path)
    (network,) = (network for network in NETWORKS if network.name == name)
    if precision == "float":
        return bitpose.InferenceSession(path, shapes=network.shapes)
    feeds = Trial(network).calibration
    model = bitpose.compile(path, shapes=network.shapes, precision="int8", calibration=feeds)
    return bitpose.InferenceSession(model.to_bytes())


def box_results(people: Sequence[Person], image: int) -> Iterator[dict[str, Any]]:
    for person in people:
        left, top, right, bottom = person.box
        box = [left, top, right - left, bottom - top]
        yield {"image_id": image, "category_id": 1, "bbox": box, "score": person.score}


def reprojection(person: Person, model: BodyModel) -> float:
    """The mean distance of the body's keypoints from those seen, by the longer side of the box."""
    assert person.mesh is not None
    points = model.keypoints["COCO-17"].positions(person.mesh.vertices)
    xy, _ = person.camera.project(points)
    sure = person.keypoints.score >= _SURE
    left, top, right, bottom = person.box
    distance = np.linalg.norm(xy - person.keypoints.xy, axis=1)[sure]
    return float(distance.mean()) / max(right - left, bottom - top)


def likeness(people: Sequence[Person], annotation: dict[str, Any]) -> float:
    """The OKS of whoever is most like an annotated person; 0 for nobody."""
    if not people:
        return 0.0
    true = np.array(annotation["keypoints"], np.float64).reshape(1, 17, 3)
    xy = np.array([person.keypoints.xy for person in people])
    boxes = np.array([annotation["bbox"]])
    return float(oks(xy, true[..., :2], true[..., 2], [annotation["area"]], boxes).max())


def main(own: Sequence[Path]) -> None:
    console.print(describe(1, None))
    report = Report(
        "14 persons in 4 photos", "detector", "keypoints", "precision", "found", "box AP50",
        "OKS AP", "OKS AP50", "mean OKS", "off, %", "s a photo", text=3,
    )  # fmt: skip
    annotations = json.loads((_COCO / "keypoints.json").read_text())
    model = BodyModel.load()
    for path in own:
        figures = judged(Estimator(path), annotations, model)
        report.add_row(path.name, "the same", "its own", *figures)
    for precision in ("float", "int8"):
        detectors = {name: session(name, precision) for name in _DETECTORS}
        for posing in _POSING:
            network = session(posing, precision)
            for name, detector in detectors.items():
                figures = judged(Estimator(network, detector), annotations, model)
                report.add_row(name, posing, precision, *figures)
    console.print(report)


def judged(estimator: Estimator, annotations: Any, model: BodyModel) -> list[str]:
    boxes: list[dict[str, Any]] = []
    keypoints: list[dict[str, Any]] = []
    off, seconds, alike, found, wanted = [], [], [], 0, 0
    for image in annotations["images"]:
        start = time.process_time()
        people = estimator(_COCO / image["file_name"])
        off += [reprojection(person, model) for person in people if person.mesh is not None]
        seconds.append(time.process_time() - start)
        boxes += box_results(people, image["id"])
        keypoints += coco_results(people, image["id"])
        rows = [a["bbox"] for a in annotations["annotations"] if a["image_id"] == image["id"]]
        tall = np.array([row for row in rows if row[3] > 0.1 * image["height"]], np.float64)
        seen = [row["bbox"] for row in boxes if row["image_id"] == image["id"]]
        wanted += len(tall)
        large = [
            a
            for a in annotations["annotations"]
            if a["image_id"] == image["id"] and a["bbox"][3] > _LARGE * image["height"]
        ]
        alike += [likeness(people, annotation) for annotation in large]
        if seen:
            found += int((box_iou(np.array(seen), tall).max(axis=0) >= 0.5).sum())
    by_box = average_precision(coco.read(annotations, boxes, "boxes"), DETECTION)
    by_oks = average_precision(coco.read(annotations, keypoints, "keypoints"), PEOPLE)
    return [
        f"{found} of {wanted}",
        f"{by_box.ap(threshold=0.5):.3f}",
        f"{by_oks.ap():.3f}",
        f"{by_oks.ap(threshold=0.5):.3f}",
        f"{np.mean(alike):.3f}",
        f"{100 * float(np.mean(off)):.1f}",
        f"{np.mean(seconds):.2f}",
    ]


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
