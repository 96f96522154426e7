# SPDX-License-Identifier: Apache-2.0
"""Resize and Upsample in all their modes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bitpose.compiler import to_graph
from bitpose.errors import InvalidModelError

from .build import check, model, node, operators

Array = NDArray[Any]
F = np.float32
X = (1, 2, 5, 4)
COORDINATES = ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]
SCALES = [(2.0, 2.0), (0.5, 1.6), (3.0, 0.8)]


def scales(*values: float) -> dict[str, Array]:
    return {"s": np.array(values, F)}


@pytest.mark.parametrize("rounding", ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
@pytest.mark.parametrize("coordinates", [*COORDINATES, "half_pixel_symmetric"])
@pytest.mark.parametrize("factors", SCALES)
def test_nearest(factors: tuple[float, float], coordinates: str, rounding: str) -> None:
    step = node(
        *("Resize", "x - s", "y"),
        coordinate_transformation_mode=coordinates,
        nearest_mode=rounding,
    )
    proto = model([step], {"x": (F, X)}, ["y"], scales(1, 1, *factors), opset=19)
    assert operators(check(proto, rtol=0, atol=0)) == ["gather", "gather"]


@pytest.mark.parametrize("coordinates", COORDINATES)
@pytest.mark.parametrize("exclude", [0, 1])
@pytest.mark.parametrize("factors", SCALES)
def test_cubic(factors: tuple[float, float], exclude: int, coordinates: str) -> None:
    step = node(
        *("Resize", "x - s", "y"),
        mode="cubic",
        coordinate_transformation_mode=coordinates,
        exclude_outside=exclude,
        cubic_coeff_a=-0.5,
    )
    proto = model([step], {"x": (F, X)}, ["y"], scales(1, 1, *factors), opset=13)
    assert operators(check(proto)) == ["resample_f32", "resample_f32"]


@pytest.mark.parametrize("coordinates", [*COORDINATES, "half_pixel_symmetric"])
def test_linear_along_one_axis(coordinates: str) -> None:
    step = node("Resize", "x - s", "y", mode="linear", coordinate_transformation_mode=coordinates)
    proto = model([step], {"x": (F, (3, 7))}, ["y"], scales(1, 2.6), opset=19)
    assert operators(check(proto)) == ["resample_f32"]


@pytest.mark.parametrize("mode", ["linear", "cubic"])
@pytest.mark.parametrize("factors", [(0.5, 0.7), (0.4, 1.5)])
def test_antialias(mode: str, factors: tuple[float, float]) -> None:
    step = node("Resize", "x - s", "y", mode=mode, antialias=1)
    proto = model([step], {"x": (F, (1, 1, 11, 9))}, ["y"], scales(1, 1, *factors), opset=18)
    check(proto)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_crop_and_resize(mode: str) -> None:
    step = node(
        *("Resize", "x r - n", "y"),
        mode=mode,
        coordinate_transformation_mode="tf_crop_and_resize",
        extrapolation_value=9.0,
    )
    constants = {"n": np.array([1, 2, 6, 3], np.int64)}
    constants["r"] = np.array([0, 0, 0.3, -0.2, 1, 1, 1.4, 0.9], F)
    check(model([step], {"x": (F, X)}, ["y"], constants), rtol=1e-5)


@pytest.mark.parametrize("policy", ["stretch", "not_larger", "not_smaller"])
def test_sizes_of_some_axes(policy: str) -> None:
    step = node("Resize", "x - - n", "y", axes=[3, 2], keep_aspect_ratio_policy=policy)
    proto = model([step], {"x": (F, X)}, ["y"], {"n": np.array([7, 8], np.int64)}, opset=18)
    check(proto, rtol=0, atol=0)


@pytest.mark.parametrize("op", ["Upsample", "Resize"])
@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_old_opsets(op: str, mode: str) -> None:
    step = node(op, "x s", "y", mode=mode)
    opset = 9 if op == "Upsample" else 10
    check(model([step], {"x": (F, X)}, ["y"], scales(1, 1, 2, 3), opset=opset))


def test_upsample_of_opset_7() -> None:
    step = node("Upsample", "x", "y", scales=[1.0, 1.0, 2.0, 2.0])
    check(model([step], {"x": (F, X)}, ["y"], opset=8), rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32])
def test_nearest_of_integers(dtype: type[np.generic]) -> None:
    proto = model([node("Resize", "x - s", "y")], {"x": (dtype, X)}, ["y"], scales(1, 1, 2, 2))
    check(proto)


def test_nearest_between_convolutions_moves_nhwc_pixels() -> None:
    constants = scales(1, 1, 2, 2) | {"w": np.ones((2, 2, 1, 1), F)}
    steps = [node("Conv", "x w", "a"), node("Resize", "a - s", "b"), node("Conv", "b w", "y")]
    graph = check(model(steps, {"x": (F, X)}, ["y"], constants), rtol=1e-4, atol=1e-4)
    assert operators(graph) == [
        *("transpose", "conv2d_f32", "gather", "gather", "conv2d_f32", "transpose")
    ]


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"mode": "area"}, "mode is 'area'"),
        ({"coordinate_transformation_mode": "centre"}, "mode is 'centre'"),
        ({"nearest_mode": "up"}, "nearest_mode is 'up'"),
        ({"axes": [2]}, r"4 scales or sizes for axes \[2\]"),
        ({"coordinate_transformation_mode": "tf_crop_and_resize"}, "has no roi"),
    ],
)
def test_invalid(attributes: dict[str, Any], message: str) -> None:
    step = node("Resize", "x - s", "y", **attributes)
    proto = model([step], {"x": (F, X)}, ["y"], scales(1, 1, 2, 2), opset=18)
    with pytest.raises(InvalidModelError, match=message):
        to_graph(proto.SerializeToString())
