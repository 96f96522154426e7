# SPDX-License-Identifier: Apache-2.0
"""GPS and its kin, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitpose.errors import InputError
from bitpose.metrics import PEOPLE, Image, average_precision
from bitpose.metrics.dense_pose import (
    KAPPA,
    Atlas,
    Points,
    Prediction,
    geodesic_errors,
    gps,
    gps_similarity,
    gpsm_similarity,
    ignore_unannotated,
    kappa_of,
    part_accuracy,
)

# Six vertices on a line, 0.1 m apart; the first four on the torso, two on the right hand.
ATLAS = Atlas(
    np.array([1, 1, 2, 2, 3, 3], np.uint8),
    np.array([[0.2, 0.5], [0.8, 0.5], [0.2, 0.5], [0.8, 0.5], [0.5, 0.2], [0.5, 0.8]]),
)


def along(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(np.abs(a - b) * 0.1)


def picture(*pixels: tuple[int, float, float]) -> Prediction:
    """One row of (I, U, V), its corner at (10, 20)."""
    iuv = np.array([[[i, round(255 * u), round(255 * v)] for i, u, v in pixels]], np.uint8)
    return Prediction(iuv, left=10, top=20)


def test_nearest_vertex_of_the_predicted_part() -> None:
    found = ATLAS.nearest([1, 1, 2, 3, 0, 9], [0.1, 0.9, 0.3, 0.5, 0.5, 0.5], [0.5] * 4 + [0.2, 0])
    np.testing.assert_array_equal(found, [0, 1, 2, 4, -1, -1])


def test_places_are_those_of_pixels() -> None:
    prediction = picture((1, 0.2, 0.5), (2, 0.8, 0.5))
    xy = np.array([[10, 20], [10.99, 20.99], [11, 20], [9.99, 20], [12, 20], [11, 21], [11, 19.9]])
    part, u, _ = prediction.at(xy)
    np.testing.assert_array_equal(part, [1, 1, 2, 0, 0, 0, 0])
    np.testing.assert_allclose(u[:3], [0.2, 0.2, 0.8])


def test_geodesic_errors() -> None:
    prediction = picture((1, 0.2, 0.5), (2, 0.8, 0.5), (0, 0, 0))
    points = Points(np.array([[10, 20], [11, 20], [12, 20], [50, 20]]), np.array([1, 3, 4, 5]))
    errors = geodesic_errors(prediction, points, ATLAS, along)
    np.testing.assert_allclose(errors, [0.1, 0.0, np.inf, np.inf])
    assert part_accuracy(prediction, points, ATLAS) == 0.5


def test_gps_by_hand() -> None:
    assert gps([0.0, 0.0], KAPPA) == 1
    assert gps([np.inf, np.inf], KAPPA) == 0
    assert gps([0.0, np.inf], KAPPA) == 0.5
    # By choice of kappa a point counts half at 0.3 m.
    assert gps([0.3], KAPPA) == pytest.approx(0.5, abs=1e-3)
    assert gps([0.1, 0.2], [0.1, 0.4]) == pytest.approx((np.exp(-0.5) + np.exp(-0.125)) / 2)
    assert gps([], KAPPA) == 0


def test_kappa_by_part() -> None:
    pairs = {
        0.351: [1, 2],
        0.107: [3, 4],
        0.126: [5, 6],
        0.237: [7, 8, 9, 10],
        0.173: [11, 12, 13, 14],
        0.142: [15, 16, 17, 18],
        0.128: [19, 20, 21, 22],
        0.150: [23, 24],
    }
    for kappa, parts in pairs.items():
        np.testing.assert_array_equal(kappa_of(parts), kappa)
    assert sum(map(len, pairs.values())) == 24


def test_similarity_by_hand() -> None:
    right, wrong = picture((1, 0.2, 0.5), (3, 0.5, 0.8)), picture((1, 0.8, 0.5), (3, 0.5, 0.2))
    people = [
        Points(np.array([[10, 20], [11, 20]]), np.array([0, 5])),
        Points(np.array([[10, 20]]), np.array([5])),
        Points(np.zeros((0, 2)), np.zeros(0, np.int64)),
    ]
    similarity = gps_similarity([right, wrong], people, ATLAS, along)
    torso, hand = np.exp(-0.01 / (2 * 0.351**2)), np.exp(-0.01 / (2 * 0.107**2))
    # The second person's only point is on the hand, seen as vertex 0 or 1 of the torso.
    far = [np.exp(-(d**2) / (2 * 0.107**2)) for d in (0.5, 0.4)]
    expected = [[1, far[0], 0], [(torso + hand) / 2, far[1], 0]]
    np.testing.assert_allclose(similarity, expected, atol=1e-12)
    one = gps_similarity([wrong], people[:1], ATLAS, along, kappa=KAPPA)
    np.testing.assert_allclose(one, np.exp(-0.01 / (2 * KAPPA**2)))


def test_gpsm() -> None:
    np.testing.assert_allclose(gpsm_similarity([[1.0, 0.36]], [[0.25, 0.25]]), [[0.5, 0.3]])


def test_average_precision_by_gps() -> None:
    """Two people, one without points: what is found of that one counts neither way."""
    people = [
        Points(np.array([[10, 20]]), np.array([0])),
        Points(np.zeros((0, 2)), np.zeros(0, np.int64)),
    ]
    predictions = [picture((3, 0.5, 0.5)), picture((1, 0.2, 0.5)), picture((1, 0.2, 0.5))]
    boxes = [[100, 0, 50, 50], [10, 20, 50, 50], [300, 0, 50, 50]]
    similarity = gps_similarity(predictions, people, ATLAS, along)
    values, ignored = ignore_unannotated(
        similarity, people, boxes, [[10, 20, 50, 50], [102, 0, 50, 50]]
    )
    np.testing.assert_array_equal(ignored, [False, True])
    image = Image(
        values,
        np.array([0.9, 0.8, 0.7]),
        np.full(3, 2500.0),
        np.full(2, 2500.0),
        np.zeros(2, np.bool_),
        ignored,
    )
    assert average_precision([image], PEOPLE).ap() == pytest.approx(1)
    # Counted as a person of its own, the first detection would be a false one.
    strict = Image(
        similarity,
        image.scores,
        image.detection_areas,
        image.truth_areas,
        image.crowd,
        image.ignored,
    )
    assert average_precision([strict], PEOPLE).ap() == pytest.approx(0.5)


@given(seed=st.integers(0, 2**32), scale=st.floats(0.1, 10))
def test_gps_sees_nothing_but_distances_by_kappa(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    errors, kappa = rng.exponential(0.2, 20), rng.uniform(0.1, 0.4, 20)
    before = gps(errors, kappa)
    assert gps(scale * errors, scale * kappa) == pytest.approx(before)
    order = rng.permutation(20)
    assert gps(errors[order], kappa[order]) == pytest.approx(before)
    assert gps(1.1 * errors, kappa) < before < gps(0.9 * errors, kappa)
    assert 0 <= before <= 1


@given(dx=st.integers(-50, 50), dy=st.integers(-50, 50))
def test_errors_do_not_see_where_the_image_begins(dx: int, dy: int) -> None:
    points = Points(np.array([[10.5, 20.5], [11.5, 20.5]]), np.array([1, 3]))
    prediction = picture((1, 0.2, 0.5), (2, 0.8, 0.5))
    moved = Prediction(prediction.iuv, prediction.left + dx, prediction.top + dy)
    np.testing.assert_array_equal(
        geodesic_errors(
            moved, Points(points.xy + np.array([dx, dy]), points.vertices), ATLAS, along
        ),
        geodesic_errors(prediction, points, ATLAS, along),
    )


def test_what_does_not_fit() -> None:
    with pytest.raises(InputError, match="vertices that do not exist"):
        part_accuracy(picture((1, 0, 0)), Points(np.zeros((1, 2)), np.array([6])), ATLAS)
    with pytest.raises(InputError, match="no points"):
        part_accuracy(picture((1, 0, 0)), Points(np.zeros((0, 2)), np.zeros(0, np.int64)), ATLAS)
    with pytest.raises(InputError, match="parts of annotated points"):
        kappa_of([0])
    with pytest.raises(InputError, match="must not be negative"):
        gps([-0.1], KAPPA)
    with pytest.raises(InputError, match="must not be negative"):
        gps([np.nan], KAPPA)
    with pytest.raises(InputError, match="kappa must be positive"):
        gps([0.1], 0.0)
    with pytest.raises(InputError, match=r"errors .* and kappa"):
        gps([0.1, 0.2, 0.3], [0.1, 0.2])
    with pytest.raises(InputError, match=r"must be \(D, G\)"):
        ignore_unannotated(np.zeros((1, 2)), [], [[0, 0, 1, 1]], [[0, 0, 1, 1]])
    with pytest.raises(InputError, match="an IUV map is"):
        Prediction(np.zeros((4, 4), np.uint8))
    with pytest.raises(InputError, match="xy"):
        Points(np.zeros((2, 3)), np.zeros(2, np.int64))
    with pytest.raises(InputError, match="parts"):
        Atlas(np.zeros(3, np.uint8), np.zeros((2, 2)))
