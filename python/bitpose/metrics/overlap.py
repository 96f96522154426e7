# SPDX-License-Identifier: Apache-2.0
"""How alike detections and true objects of an image are: matrices [D, G] of 0 to 1, as in COCO.

An object that is a crowd holds any number of detections: of its overlap with one, the union is the
detection alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.errors import InputError

Array = NDArray[np.float64]

#: Of the 17 keypoints of COCO, in its order; k_i is twice that.
COCO_SIGMAS = (
    np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]) / 1000
)


def box_iou(detections: ArrayLike, truths: ArrayLike, crowd: ArrayLike | None = None) -> Array:
    """Intersection over union of boxes [D, 4] and [G, 4]: left, top, width, height."""
    d, g = _boxes("detections", detections), _boxes("truths", truths)
    single = ~_flags(crowd, len(g))
    right = np.minimum((d[:, 0] + d[:, 2])[:, None], g[:, 0] + g[:, 2])
    bottom = np.minimum((d[:, 1] + d[:, 3])[:, None], g[:, 1] + g[:, 3])
    width = right - np.maximum(d[:, 0, None], g[:, 0])
    height = bottom - np.maximum(d[:, 1, None], g[:, 1])
    common = np.where((width > 0) & (height > 0), width * height, 0)
    area_d, area_g = (d[:, 2] * d[:, 3])[:, None], g[:, 2] * g[:, 3]
    return _ratio(common, np.where(single, area_d + area_g - common, area_d))


def mask_iou(detections: ArrayLike, truths: ArrayLike, crowd: ArrayLike | None = None) -> Array:
    """Intersection over union of masks [D, H, W] and [G, H, W], anything but 0 being inside."""
    d, g = (np.asarray(masks).astype(np.bool_) for masks in (detections, truths))
    if d.ndim != 3 or g.ndim != 3 or (len(d) and len(g) and d.shape[1:] != g.shape[1:]):
        raise InputError(f"masks have shapes {d.shape} and {g.shape}; must be (D or G, H, W)")
    single = ~_flags(crowd, len(g))
    if len(d) == 0 or len(g) == 0:
        return np.zeros((len(d), len(g)))
    if d[0].size >= 1 << 24:
        raise InputError(f"masks of {d.shape[2]} x {d.shape[1]} pixels; fewer than 2^24 can be")
    # Sums of ones below 2^24 are exact in float32, in whatever order.
    flat_d, flat_g = (x.reshape(len(x), -1).astype(np.float32) for x in (d, g))
    common = (flat_d @ flat_g.T).astype(np.float64)
    area_d, area_g = (x.reshape(len(x), -1).sum(axis=1, dtype=np.float64) for x in (d, g))
    area_d = area_d[:, None]
    return _ratio(common, np.where(single, area_d + area_g - common, area_d))


def oks(
    detections: ArrayLike,
    truths: ArrayLike,
    visibility: ArrayLike,
    areas: ArrayLike,
    boxes: ArrayLike,
    sigmas: ArrayLike = COCO_SIGMAS,
) -> Array:
    """Object keypoint similarity: sum_i exp(-d_i^2 / (2 s^2 k_i^2)) [v_i > 0] / sum_i [v_i > 0].

    `detections` [D, K, 2] and `truths` [G, K, 2] in pixels, `visibility` [G, K] (0: not labelled),
    s^2 = `areas` [G] of the objects, k_i = 2 `sigmas` [K]. An object without labelled keypoints is
    compared by how far keypoints lie outside of its box, `boxes` [G, 4], grown by its size on each
    side.
    """
    d, g = np.asarray(detections, np.float64), np.asarray(truths, np.float64)
    v, area = np.asarray(visibility, np.float64), np.asarray(areas, np.float64)
    k = 2 * np.asarray(sigmas, np.float64)
    if d.shape[1:] != (len(k), 2) or g.shape[1:] != (len(k), 2):
        raise InputError(
            f"keypoints have shapes {d.shape} and {g.shape}; must be (D or G, {len(k)}, 2)"
        )
    if v.shape != g.shape[:2] or area.shape != (len(g),):
        raise InputError(f"visibility and areas have shapes {v.shape} and {area.shape}")
    box = _boxes("boxes", boxes)
    if len(box) != len(g):
        raise InputError(f"{len(box)} boxes for {len(g)} objects")
    if not (np.isfinite(d).all() and np.isfinite(g).all() and (area >= 0).all()):
        raise InputError("keypoints must be finite and areas not negative")
    seen = np.asarray(v > 0)
    labelled = np.asarray(seen.any(axis=1))
    low, high = box[:, :2] - box[:, 2:], box[:, :2] + 2 * box[:, 2:]
    outside = np.maximum(0, low[:, None] - d[:, None]) + np.maximum(0, d[:, None] - high[:, None])
    offset = np.where(labelled[:, None, None], d[:, None] - g, outside)
    exponent = (offset**2).sum(axis=-1) / k**2 / (area[:, None] + np.spacing(1)) / 2
    counts = np.where(labelled[:, None], seen, True)
    return np.asarray((np.exp(-exponent) * counts).sum(axis=-1) / counts.sum(axis=-1))


def _boxes(name: str, boxes: ArrayLike) -> Array:
    array = np.asarray(boxes, np.float64)
    if array.size == 0:
        array = array.reshape(-1, 4)
    if array.ndim != 2 or array.shape[1] != 4:
        raise InputError(f"{name} have shape {array.shape}; must be (N, 4)")
    if not np.isfinite(array).all() or (array[:, 2:] < 0).any():
        raise InputError(f"{name} must be finite, and their extents not negative")
    return array


def _flags(crowd: ArrayLike | None, count: int) -> NDArray[np.bool_]:
    flags = np.zeros(count, np.bool_) if crowd is None else np.asarray(crowd).astype(np.bool_)
    if flags.shape != (count,):
        raise InputError(f"crowd has shape {flags.shape}; must be ({count},)")
    return flags


def _ratio(common: Array, union: Array) -> Array:
    return np.asarray(np.where(common > 0, common / np.where(common > 0, union, 1), 0))
