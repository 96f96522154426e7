# SPDX-License-Identifier: Apache-2.0
"""Networks whose shapes are known at the first run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from bitpose import InferenceSession, Model, compile
from bitpose.errors import InputError, UnsupportedModelError

from .onnx.build import Typed, model, node

F = np.float32


def free_network() -> Any:
    """y = -x, of any batch and width."""
    return model([node("Neg", "x", "y")], {"x": (F, ("batch", 3, None))}, ["y"]).SerializeToString()


def shaped_network() -> Any:
    """y = Reshape(x, shape)."""
    inputs: dict[str, Typed] = {"x": (F, (2, 3)), "shape": (np.int64, (None,))}
    return model([node("Reshape", "x shape", "y")], inputs, ["y"]).SerializeToString()


def test_free_extents_are_bound_by_each_feed() -> None:
    session = InferenceSession(free_network())
    (x,) = session.get_inputs()
    assert x.shape == ["batch", 3, None]
    with pytest.raises(InputError, match=r"free extents \['batch', 3, None\]; give shapes="):
        x.extents  # noqa: B018
    for shape in ((1, 3, 4), (2, 3, 1), (1, 3, 4)):
        data = np.full(shape, 2, F)
        np.testing.assert_array_equal(session.run(["y"], {"x": data})[0], -data)
    with pytest.raises(InputError, match=r"must be float32\['batch', 3, None\], got"):
        session.run(None, {"x": np.zeros((1, 4, 4), F)})


def test_shapes_that_are_given_fix_the_network() -> None:
    session = InferenceSession(free_network(), shapes={"x": [1, 3, 4]})
    assert session.get_inputs()[0].shape == [1, 3, 4]
    assert session.arena_bytes > 0


def test_memory_is_known_from_the_first_run_on() -> None:
    session = InferenceSession(free_network())
    with pytest.raises(InputError, match="known from its first run on"):
        session.arena_bytes  # noqa: B018
    session.run(None, {"x": np.zeros((1, 3, 1), F)})
    small = session.arena_bytes
    session.run(None, {"x": np.zeros((9, 3, 99), F)})
    assert session.arena_bytes > small


def test_a_shape_that_is_an_input_is_bound_by_its_value() -> None:
    session = InferenceSession(shaped_network())
    x = np.arange(6, dtype=F).reshape(2, 3)
    for shape in ((6,), (3, 2), (1, -1), (6,)):
        (y,) = session.run(None, {"x": x, "shape": np.array(shape)})
        np.testing.assert_array_equal(y, x.reshape(shape))


def test_one_plan_is_made_for_each_kind_of_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    widths = []

    def counted(model: bytes, *, shapes: Any, constants: Any) -> Model:
        widths.append(shapes["x"][2])
        return compile(model, shapes=shapes, constants=constants)

    monkeypatch.setattr("bitpose.specialization.compile", counted)
    session = InferenceSession(free_network())
    for width in (1, 2, 3, 4, 1, 5, 1, 2):  # 5 takes the place of 2, used the longest ago.
        session.run(None, {"x": np.zeros((1, 3, width), F)})
    assert widths == [1, 2, 3, 4, 5, 2]


def test_threads_may_bind_at_once() -> None:
    session = InferenceSession(free_network())

    def run(width: int) -> bool:
        data = np.full((1, 3, 1 + width % 6), width, F)
        return bool((session.run(None, {"x": data})[0] == -data).all())

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(run, range(64)))


def test_what_no_feed_could_solve_is_refused_at_once() -> None:
    proto = model([node("DFT", "x", "y")], {"x": (F, ("n", 4, 1))}, ["y"], opset=17)
    with pytest.raises(UnsupportedModelError, match="DFT"):
        InferenceSession(proto.SerializeToString())
