# SPDX-License-Identifier: Apache-2.0
"""Shares of keypoints that are near enough."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitpose.errors import InputError
from bitpose.metrics import auc_3d, box_iou, mask_iou, mpjpe, oks, pck, pck_3d, pckh
from bitpose.metrics.overlap import COCO_SIGMAS

SEED = st.integers(0, 2**32)


def test_pck_by_hand() -> None:
    target = np.zeros((2, 3, 2))
    predicted = np.array([[[3, 4], [0, 5.01], [0, 0]], [[6, 8], [10, 0], [10.1, 0]]])
    # Reaches of 5 and 10 pixels; a keypoint right on the limit counts.
    assert pck(predicted, target, [50, 100], 0.1) == pytest.approx(4 / 6)
    visible = np.array([[1, 0, 0], [1, 1, 1]])
    assert pck(predicted, target, [50, 100], 0.1, visible) == pytest.approx(3 / 4)
    assert pckh(predicted, target, [10, 20]) == pytest.approx(4 / 6)
    assert pckh(predicted, target, 10) == pytest.approx(2 / 6)


def test_3d_by_hand() -> None:
    target = np.zeros((1, 4, 3))
    predicted = np.array([[[0, 0, 0], [0, 0, 0.15], [0, 0, 0.1501], [0, 0.0301, 0]]])
    assert pck_3d(predicted, target, 0) == pytest.approx(3 / 4)
    # Of 31 thresholds from 0 to 150 mm, joint 0 is within all, 1 within the last, 2 within none,
    # 3 within 35, 40, ... 150.
    assert auc_3d(predicted, target, 0) == pytest.approx((31 + 1 + 0 + 24) / (4 * 31))


@given(seed=SEED, scale=st.floats(0.1, 100))
def test_pck_does_not_see_place_and_size(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    target = rng.normal(size=(4, 17, 2))
    predicted = target + 0.1 * rng.normal(size=target.shape)
    size = rng.uniform(0.5, 2, 4)
    before = pck(predicted, target, size, 0.1)
    shift = rng.normal(size=2)
    assert pck(scale * predicted + shift, scale * target + shift, scale * size, 0.1) == before
    shares = [pck(predicted, target, size, threshold) for threshold in (0.0, 0.05, 0.1, 10.0)]
    assert shares == sorted(shares)
    assert shares[-1] == 1


@given(seed=SEED)
def test_3d_shares_rise_with_the_threshold_and_fall_with_the_error(seed: int) -> None:
    rng = np.random.default_rng(seed)
    target = rng.normal(0, 0.4, (5, 14, 3))
    noise = rng.normal(0, 0.05, target.shape)
    near, far = target + noise, target + 2 * noise
    assert mpjpe(far, target, 0) == pytest.approx(2 * mpjpe(near, target, 0))
    assert auc_3d(near, target, 0) >= auc_3d(far, target, 0)
    shares = [pck_3d(near, target, 0, mm) for mm in (0, 50, 100, 150, 1e9)]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert auc_3d(target, target, 0) == 1


def test_oks_by_hand() -> None:
    truth = np.zeros((1, 17, 2))
    found = np.zeros((1, 17, 2))
    found[0, 0] = [3, 4]
    visibility = np.ones((1, 17))
    nose = np.exp(-25 / (2 * 1000 * (2 * 0.026) ** 2))
    args = (visibility, [1000.0], [[0, 0, 10, 10]])
    assert oks(found, truth, *args)[0, 0] == pytest.approx((16 + nose) / 17)
    visibility[0, 1:] = 0
    assert oks(found, truth, *args)[0, 0] == pytest.approx(nose)
    found[0, 1:] = 1e6
    assert oks(found, truth, *args)[0, 0] == pytest.approx(nose)


@given(seed=SEED, scale=st.floats(0.1, 100))
def test_oks_does_not_see_place_and_size(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, 30, (3, 17, 2))
    found = truth[:2] + 3 * rng.normal(size=(2, 17, 2))
    visibility = rng.integers(0, 3, (3, 17))
    area, box = rng.uniform(100, 10000, 3), np.abs(rng.normal(0, 20, (3, 4)))
    shift = rng.normal(size=2)
    before = oks(found, truth, visibility, area, box)
    moved = scale * box + np.array([*shift, 0, 0])
    after = oks(scale * found + shift, scale * truth + shift, visibility, scale**2 * area, moved)
    np.testing.assert_allclose(after, before, atol=1e-9)
    assert ((before >= 0) & (before <= 1)).all()
    same = oks(truth, truth, np.ones((3, 17)), area, box)
    np.testing.assert_allclose(np.diag(same), 1)


@given(seed=SEED, scale=st.floats(0.1, 100))
def test_box_iou_does_not_see_place_and_size(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(0, 10, (5, 4)), rng.uniform(0, 10, (4, 4))
    shift = np.array([*rng.normal(size=2), 0, 0])
    before = box_iou(a, b)
    np.testing.assert_allclose(box_iou(scale * a + shift, scale * b + shift), before, atol=1e-9)
    np.testing.assert_allclose(box_iou(b, a).T, before, atol=1e-12)
    np.testing.assert_allclose(np.diag(box_iou(a, a)), 1)
    swapped = [1, 0, 3, 2]
    np.testing.assert_allclose(box_iou(a[:, swapped], b[:, swapped]), before, atol=1e-12)


def test_masks_of_boxes_overlap_like_boxes() -> None:
    rng = np.random.default_rng(0)
    boxes = np.concatenate([rng.integers(0, 20, (9, 2)), rng.integers(0, 20, (9, 2))], axis=1)
    masks = np.zeros((9, 40, 40), np.bool_)
    for mask, (left, top, width, height) in zip(masks, boxes, strict=True):
        mask[top : top + height, left : left + width] = True
    np.testing.assert_allclose(mask_iou(masks, masks), box_iou(boxes, boxes), atol=1e-12)


def test_nothing_to_compare() -> None:
    boxes, masks = np.zeros((3, 4)), np.zeros((3, 5, 5))
    assert box_iou([], boxes).shape == (0, 3)
    assert box_iou(boxes, []).shape == (3, 0)
    assert mask_iou(masks[:0], masks).shape == (0, 3)
    points = np.zeros((2, 17, 2))
    assert oks(points[:0], points, np.ones((2, 17)), [1, 1], boxes[:2]).shape == (0, 2)
    assert oks(points, points[:0], np.ones((0, 17)), [], []).shape == (2, 0)


def test_what_does_not_fit() -> None:
    xy = np.zeros((2, 17, 2))
    with pytest.raises(InputError, match="must be equal"):
        pck(xy, xy[:1], 1.0, 0.1)
    with pytest.raises(InputError, match="no keypoint is visible"):
        pck(xy, xy, 1.0, 0.1, np.zeros((2, 17)))
    with pytest.raises(InputError, match="visible has shape"):
        pck(xy, xy, 1.0, 0.1, np.ones(17))
    with pytest.raises(InputError, match="sizes must be positive"):
        pck(xy, xy, [1, 0], 0.1)
    with pytest.raises(InputError, match="visible keypoints must be finite"):
        pck(xy * np.nan, xy, 1.0, 0.1)
    with pytest.raises(InputError, match="extents not negative"):
        box_iou([[0, 0, -1, 2]], [[0, 0, 1, 1]])
    with pytest.raises(InputError, match="must be finite"):
        box_iou([[0, 0, np.nan, 2]], [[0, 0, 1, 1]])
    with pytest.raises(InputError, match="crowd has shape"):
        box_iou([[0, 0, 1, 1]], [[0, 0, 1, 1]], [True, False])
    with pytest.raises(InputError, match="masks have shapes"):
        mask_iou(np.zeros((1, 2, 2)), np.zeros((1, 3, 2)))
    with pytest.raises(InputError, match="keypoints have shapes"):
        oks(xy[:, :16], xy, np.ones((2, 17)), [1, 1], np.zeros((2, 4)))
    with pytest.raises(InputError, match="visibility and areas"):
        oks(xy, xy, np.ones((2, 16)), [1, 1], np.zeros((2, 4)))
    with pytest.raises(InputError, match="boxes for"):
        oks(xy, xy, np.ones((2, 17)), [1, 1], np.zeros((1, 4)))
    assert len(COCO_SIGMAS) == 17
