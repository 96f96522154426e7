# SPDX-License-Identifier: Apache-2.0
"""pycocotools' evaluation of annotations and results in COCO's format."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

Annotation = dict[str, Any]


def evaluate(
    kind: str,
    annotations: Sequence[Annotation],
    results: Sequence[Annotation],
    images: int,
    categories: int,
    max_detections: Sequence[int] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Precision, recall and the figures of the summary; images and categories count from 1.

    `results` carry their ids and areas, as pycocotools would add them.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(
            _index(annotations, images, categories), _index(results, images, categories), kind
        )
        if max_detections is not None:
            evaluation.params.maxDets = list(max_detections)
        evaluation.evaluate()
        evaluation.accumulate()
        if max_detections is None:
            evaluation.summarize()
    return (
        evaluation.eval["precision"],
        evaluation.eval["recall"],
        np.asarray(evaluation.stats, np.float64),
    )


def _index(annotations: Sequence[Annotation], images: int, categories: int) -> Any:
    coco = COCO()
    coco.dataset = {
        "images": [{"id": i + 1, "height": 200, "width": 200} for i in range(images)],
        "categories": [{"id": i + 1, "name": str(i)} for i in range(categories)],
        "annotations": [dict(annotation) for annotation in annotations],
    }
    coco.createIndex()
    return coco
