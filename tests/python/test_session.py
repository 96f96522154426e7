# SPDX-License-Identifier: Apache-2.0
"""The calling convention: what is accepted, and what errors say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bitpose.errors import BitposeError, InputError
from bitpose.session import NodeArg, check_feed, select_outputs

PHOTO = NodeArg("photo", [1, 8, 6, 3], "tensor(uint8)", np.dtype(np.uint8))
MASK = NodeArg("mask", [2], "tensor(float)", np.dtype(np.float32))


def feed(**changes: Any) -> dict[str, Any]:
    good = {"photo": np.zeros((1, 8, 6, 3), np.uint8), "mask": np.ones(2, np.float32)}
    return {**good, **changes}


def test_arrays_come_in_order_and_contiguous() -> None:
    strided = np.zeros((1, 8, 12, 3), np.uint8)[:, :, ::2]
    mask, photo = check_feed([MASK, PHOTO], feed(photo=strided))
    assert mask.shape == (2,)
    assert photo.flags.c_contiguous


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"foto": 1}, "there is no input 'foto'; the network has 'photo', 'mask'"),
        (
            {"mask": np.ones(2)},
            r"'mask' must be float32\[2\], got float64\[2\]; convert it with .astype\('float32'\)",
        ),
        (
            {"photo": np.zeros((8, 6, 3), np.uint8)},
            r"'photo' must be uint8\[1, 8, 6, 3\], got uint8\[8, 6, 3\]; add the batch axis",
        ),
        (
            {"photo": np.zeros((1, 3, 8, 6), np.uint8)},
            r"the array looks like NCHW: use .transpose\(0, 2, 3, 1\)",
        ),
        ({"photo": np.zeros((1, 9, 9, 9), np.uint8)}, r"got uint8\[1, 9, 9, 9\]$"),
        ({"photo": "hello"}, r"got <U5\[\]"),
    ],
)
def test_errors_say_what_would_be_right(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_feed([PHOTO, MASK], feed(**changes))


def test_missing_inputs() -> None:
    with pytest.raises(InputError, match="missing: 'photo', 'mask'; the network has"):
        check_feed([PHOTO, MASK], {})
    assert issubclass(InputError, BitposeError)


def test_outputs_by_name() -> None:
    assert select_outputs([PHOTO, MASK], None) == [0, 1]
    assert select_outputs([PHOTO, MASK], ["mask"]) == [1]
    with pytest.raises(InputError, match="no output 'x'; the network has 'photo', 'mask'"):
        select_outputs([PHOTO, MASK], ["x"])
    with pytest.raises(InputError, match="must be a list"):
        select_outputs([PHOTO, MASK], "mask")
