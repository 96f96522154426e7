# SPDX-License-Identifier: Apache-2.0
"""Dense layers, one-dimensional convolutions and what transposes do at reshapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bitpose.passes import permutations
from bitpose.passes.dense_layers import dense_layers
from bitpose.passes.fold_clips import fold_clips
from bitpose.passes.sink_transposes import sink_transposes

from .build import Draft, lines

CONV: dict[str, Any] = {
    "strides": (1, 1),
    "dilations": (1, 1),
    "pads": (0, 0, 0, 0),
    "group": 1,
}


def test_products_with_constants_are_dense_layers() -> None:
    d = Draft()
    d.input("x", (2, 3, 4))
    d.constant("w", np.ones((4, 5)), np.float32)
    d.node("MatMul", "x w", "y", (2, 3, 5), transpose_b=0)
    assert lines(dense_layers(d.graph("y"))) == [
        "y@weights: float32[5,4] = Transpose(w=float32[4,5], perm=[1,0])",
        "y@pixels: float32[6,4,1,1] = Reshape(x)",
        "y@kernel: float32[5,4,1,1] = Reshape(y@weights)",
        "y@result: float32[6,5,1,1] = Conv(y@pixels, y@kernel, strides=[1,1], dilations=[1,1], "
        "pads=[0,0,0,0], group=1)",
        "y: float32[2,3,5] = Reshape(y@result)",
    ]


@pytest.mark.parametrize("perm", [(0, 2, 1), (1, 0, 2)])
def test_only_the_last_two_axes_swapped_are_taken_in(perm: tuple[int, ...]) -> None:
    d = Draft()
    d.input("a", (2, 4, 4))
    d.input("b", (2, 4, 4) if perm == (0, 2, 1) else (4, 2, 4))
    d.node("Transpose", "b", "c", (2, 4, 4), perm=perm)
    d.node("MatMul", "a c", "y", (2, 4, 4), transpose_b=0)
    taken = perm == (0, 2, 1)
    assert lines(dense_layers(d.graph("y")))[-1] == (
        "y: float32[2,4,4] = MatMul(a, b, transpose_b=1)"
        if taken
        else "y: float32[2,4,4] = MatMul(a, c, transpose_b=0)"
    )


@pytest.mark.parametrize("op", ["Conv", "ConvTranspose"])
def test_clips_behind_a_reshape_go_into_the_convolution(op: str) -> None:
    d = Draft()
    d.input("x", (1, 3, 1, 8))
    d.constant("w", np.ones((4, 3, 1, 1)), np.float32)
    extra = {"output_padding": (0, 0)} if op == "ConvTranspose" else {}
    d.node(op, "x w", "a", (1, 4, 1, 8), **CONV, **extra)
    d.node("Reshape", "a", "b", (1, 4, 8))
    d.node("Clip", "b", "y", (1, 4, 8), low=0.0, high=6.0)
    conv, reshape = lines(fold_clips(d.graph("y")))
    assert f"= {op}(x, w=" in conv
    assert conv.endswith("fmin=0, fmax=6)")
    assert reshape == "y: float32[1,4,8] = Reshape(a@clamped)"


def test_a_clip_stays_where_the_convolution_has_other_readers() -> None:
    d = Draft()
    d.input("x", (1, 3, 1, 8))
    d.constant("w", np.ones((4, 3, 1, 1)), np.float32)
    d.node("Conv", "x w", "a", (1, 4, 1, 8), **CONV)
    d.node("Reshape", "a", "b", (1, 4, 8))
    d.node("Clip", "b", "y", (1, 4, 8), low=0.0, high=6.0)
    graph = d.graph("y", "a")
    assert fold_clips(graph) is graph


def test_transposes_pass_reshapes_of_units() -> None:
    d = Draft()
    d.input("x", (2, 1, 9, 4))
    perm = permutations.attributes(permutations.TO_NCHW)
    d.node("transpose", "x", "a", (2, 4, 1, 9), **perm)
    d.node("reshape", "a", "b", (2, 4, 9))
    d.node("reshape", "b", "c", (2, 4, 1, 9))
    back = permutations.attributes(permutations.TO_NHWC)
    d.node("transpose", "c", "y", (2, 1, 9, 4), **back)
    assert all("reshape" in line for line in lines(sink_transposes(d.graph("y"))))
