# SPDX-License-Identifier: Apache-2.0
"""resize_bilinear against its definition, one output position at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from bitpose._native import resize_bilinear

Array = NDArray[Any]


def weights(inputs: int, outputs: int) -> Array:
    """[outputs, inputs] integers whose rows add up to 2^14."""
    i, j = np.arange(outputs)[:, None], np.arange(inputs)[None]
    distance = np.abs((2 * j + 1) * outputs - (2 * i + 1) * inputs)
    triangle = np.maximum(0, 2 * max(inputs, outputs) - distance)
    sums = np.cumsum(triangle, axis=1)
    rounded = (sums << 14) // sums[:, -1:]
    return np.asarray(np.diff(rounded, axis=1, prepend=0))


def definition(picture: Array, height: int, width: int) -> Array:
    rows, columns = weights(picture.shape[0], height), weights(picture.shape[1], width)
    kept = (np.einsum("xj,yjc->yxc", columns, picture.astype(np.int64)) + 2**7) >> 8
    return np.asarray((np.einsum("yi,ixc->yxc", rows, kept) + 2**19) >> 20, np.uint8)


def random_picture(seed: int, *shape: int) -> Array:
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


EXTENT = st.integers(1, 50)


@given(
    source=st.tuples(EXTENT, EXTENT, st.integers(1, 4)),
    height=EXTENT,
    width=EXTENT,
    seed=st.integers(0, 2**32),
)
def test_definition(source: tuple[int, int, int], height: int, width: int, seed: int) -> None:
    picture = random_picture(seed, *source)
    expected = definition(picture, height, width)
    np.testing.assert_array_equal(resize_bilinear(picture, height, width), expected)


def test_same_size_is_a_copy() -> None:
    picture = random_picture(1, 20, 30, 3)
    np.testing.assert_array_equal(resize_bilinear(picture, 20, 30), picture)


@pytest.mark.parametrize("value", [0, 1, 254, 255])
def test_flat_pictures_stay_flat(value: int) -> None:
    picture = np.full((37, 53, 3), value, np.uint8)
    for height, width in [(5, 7), (100, 200), (1, 1), (37, 54)]:
        assert np.all(resize_bilinear(picture, height, width) == value)


def test_averages_when_it_shrinks() -> None:
    """Like Pillow's bilinear filter, whose arithmetic is another one."""
    picture = random_picture(2, 200, 300, 3)
    pillow = np.asarray(Image.fromarray(picture).resize((40, 30), Image.Resampling.BILINEAR))
    assert np.abs(resize_bilinear(picture, 30, 40).astype(int) - pillow).max() <= 1


@pytest.mark.parametrize(("height", "width"), [(0, 5), (5, -1), (2**20 + 1, 5)])
def test_impossible_sizes(height: int, width: int) -> None:
    with pytest.raises(ValueError, match="cannot resize to"):
        resize_bilinear(np.zeros((4, 4, 3), np.uint8), height, width)


def test_pictures_are_checked() -> None:
    with pytest.raises(ValueError, match="shape"):
        resize_bilinear(np.zeros((0, 4, 3), np.uint8), 2, 2)
    with pytest.raises(ValueError, match="dtype mismatch"):
        resize_bilinear(np.zeros((4, 4, 3), np.float32), 2, 2)
    with pytest.raises(ValueError, match="dimensions"):
        resize_bilinear(np.zeros((4, 4), np.uint8), 2, 2)
