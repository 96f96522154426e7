# SPDX-License-Identifier: Apache-2.0
"""Annotations and results in COCO's files, as images for `average_precision`.

images = read("person_keypoints_val2017.json", "results.json", "keypoints")
average_precision(images, PEOPLE).summary
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bitpose.errors import InputError
from bitpose.metrics.average_precision import Image
from bitpose.metrics.coco_masks import decode
from bitpose.metrics.keypoints import keypoints_area
from bitpose.metrics.overlap import box_iou, mask_iou, oks

Array = NDArray[np.float64]
Entry = Mapping[str, Any]
Kind = Literal["boxes", "masks", "keypoints"]
_Key = tuple[int, int]

_KEYPOINTS = 17


def read(
    annotations: str | PathLike[str] | Entry,
    results: str | PathLike[str] | Sequence[Entry],
    kind: Kind,
) -> list[Image]:
    """One image for each category and image, in rising order of their ids: COCO's order.

    Files or what they hold. Of annotations `images` (id; for masks height and width) and
    `annotations` (image_id, category_id, area, iscrowd; bbox, segmentation, keypoints) are read; of
    results image_id, category_id, score, and bbox, segmentation or keypoints. Raises InputError
    for what is missing or malformed, and for results of images that are not annotated.
    """
    if kind not in _COMPARE:
        raise InputError(f"kind is {kind!r}; must be one of {', '.join(_COMPARE)}")
    dataset, found = _load(annotations), _load(results)
    if not isinstance(dataset, Mapping) or not isinstance(found, Sequence):
        raise InputError("annotations must be an object, results a list")
    pictures = {_integer(p, "id", w): p for p, w in _entries(dataset.get("images"), "image")}
    truths = _grouped(dataset.get("annotations"), "annotation", pictures)
    detections = _grouped(found, "result", pictures)
    categories = sorted({category for category, _ in {**truths, **detections}})
    return [
        _image(detections[c, i], truths[c, i], pictures[i], c, kind)
        for c in categories
        for i in sorted(pictures)
        if truths[c, i] or detections[c, i]
    ]


def _image(
    detections: list[tuple[Entry, str]],
    truths: list[tuple[Entry, str]],
    picture: Entry,
    category: int,
    kind: Kind,
) -> Image:
    crowd = np.array([bool(_integer(t, "iscrowd", w, 0)) for t, w in truths], np.bool_)
    areas = np.array([_numbers(t, "area", w, ()) for t, w in truths], np.float64)
    similarity, detection_areas, ignored = _COMPARE[kind](detections, truths, picture, areas, crowd)
    return Image(
        similarity,
        np.array([_numbers(d, "score", w, ()) for d, w in detections], np.float64),
        detection_areas,
        areas,
        crowd,
        ignored,
        category,
    )


_Compared = tuple[Array, Array, NDArray[np.bool_]]
_Group = list[tuple[Entry, str]]


def _boxes(d: _Group, g: _Group, _: Entry, areas: Array, crowd: NDArray[np.bool_]) -> _Compared:
    found, true = (_stacked(group, "bbox", 4) for group in (d, g))
    return box_iou(found, true, crowd), found[:, 2] * found[:, 3], np.zeros(len(g), np.bool_)


def _masks(
    d: _Group, g: _Group, picture: Entry, areas: Array, crowd: NDArray[np.bool_]
) -> _Compared:
    where = f"image {picture['id']}"
    height, width = (_integer(picture, name, where) for name in ("height", "width"))
    found, true = (
        np.array(
            [decode(_field(e, "segmentation", w), height, width) for e, w in group], np.bool_
        ).reshape(-1, height, width)
        for group in (d, g)
    )
    covered = found.sum(axis=(1, 2), dtype=np.float64)
    return mask_iou(found, true, crowd), covered, np.zeros(len(g), np.bool_)


def _keypoints(d: _Group, g: _Group, _: Entry, areas: Array, crowd: NDArray[np.bool_]) -> _Compared:
    found, true = (_stacked(group, "keypoints", 3 * _KEYPOINTS) for group in (d, g))
    found, true = (x.reshape(-1, _KEYPOINTS, 3) for x in (found, true))
    similarity = oks(found[..., :2], true[..., :2], true[..., 2], areas, _stacked(g, "bbox", 4))
    unseen = np.array([_integer(e, "num_keypoints", w) == 0 for e, w in g], np.bool_)
    return similarity, keypoints_area(found[..., :2]), unseen


_COMPARE: dict[str, Callable[[_Group, _Group, Entry, Array, NDArray[np.bool_]], _Compared]] = {
    "boxes": _boxes,
    "masks": _masks,
    "keypoints": _keypoints,
}


def _load(source: Any) -> Any:
    if not isinstance(source, str | PathLike):
        return source
    try:
        return json.loads(Path(source).read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source} is not JSON: {error}") from None


def _grouped(entries: Any, name: str, pictures: Mapping[int, Entry]) -> dict[_Key, _Group]:
    """By category and image, each with what it is called in messages."""
    groups: dict[_Key, _Group] = defaultdict(list)
    for entry, where in _entries(entries, name):
        picture = _integer(entry, "image_id", where)
        if picture not in pictures:
            raise InputError(f"{where} is of image {picture}, which is not among the annotations")
        groups[_integer(entry, "category_id", where), picture].append((entry, where))
    return groups


def _entries(entries: Any, name: str) -> Iterator[tuple[Entry, str]]:
    if not isinstance(entries, Sequence) or isinstance(entries, str | bytes):
        raise InputError(f"there must be a list of {name}s")
    for i, entry in enumerate(entries):
        if not isinstance(entry, Mapping):
            raise InputError(f"{name} {i} must be an object")
        yield entry, f"{name} {i}"


def _field(entry: Entry, name: str, where: str) -> Any:
    if name not in entry:
        raise InputError(f"{where} has no {name}")
    return entry[name]


def _integer(entry: Entry, name: str, where: str, default: int | None = None) -> int:
    value = entry.get(name, default) if default is not None else _field(entry, name, where)
    if not isinstance(value, int):
        raise InputError(f"{name} of {where} must be an integer")
    return value


def _numbers(entry: Entry, name: str, where: str, shape: tuple[int, ...]) -> Array:
    value = _field(entry, name, where)
    try:
        array = np.asarray(value)
    except ValueError:
        array = np.empty(0, object)
    if array.shape != shape or array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        wanted = f"{shape[0]} finite numbers" if shape else "a finite number"
        raise InputError(f"{name} of {where} must be {wanted}")
    return array.astype(np.float64)


def _stacked(group: _Group, name: str, length: int) -> Array:
    rows = [_numbers(entry, name, where, (length,)) for entry, where in group]
    return np.array(rows, np.float64).reshape(-1, length)
