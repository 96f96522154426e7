# SPDX-License-Identifier: Apache-2.0
"""Results whose size depends on data: the reference executor, the engine and onnxruntime."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from bitpose.compiler import compile as compile_model
from bitpose.compiler import to_graph
from bitpose.errors import InputError, UnsupportedModelError
from bitpose.ir.reference import run
from bitpose.session import InferenceSession

from .build import model, node, onnxruntime_outputs

Array = NDArray[Any]
F32, S64, BOOL = np.float32, np.int64, np.bool_


def same(proto: onnx.ModelProto, *feeds: dict[str, Array]) -> InferenceSession:
    """Runs a model on one feed after the other and compares values and shapes."""
    graph = to_graph(proto.SerializeToString())
    session = InferenceSession(proto.SerializeToString(), threads=2)
    for feed in feeds:
        expected = onnxruntime_outputs(proto, feed)
        values = run(graph, feed)
        for name, reference, got in zip(
            graph.outputs, expected, session.run(None, feed), strict=True
        ):
            assert (got.shape, got.dtype) == (reference.shape, reference.dtype), name
            assert values[name].tobytes() == got.tobytes(), name
            np.testing.assert_allclose(got, reference, 1e-6, 1e-6)
    return session


def sparse(*shape: int) -> list[dict[str, Array]]:
    """Feeds with all, many, one and no elements that are not 0."""
    random = np.random.default_rng(1)
    values = random.standard_normal(shape).astype(F32)
    shares = [random.random(shape) < share for share in (1, 0.5, 0.1)]
    one = np.zeros(shape, bool)
    one.flat[-1] = True
    return [{"x": np.where(kept, values, F32(0))} for kept in (*shares, one, one & False)]


def boxes_and_scores(seed: int, n: int, classes: int) -> dict[str, Array]:
    random = np.random.default_rng(seed)
    corner = random.uniform(0, 8, (1, n, 2))
    boxes = np.concatenate([corner, corner + random.uniform(0, 4, (1, n, 2))], 2)
    scores = random.integers(0, 12, (1, classes, n)) / 12 - (seed == 0)
    return {"boxes": boxes.astype(F32), "scores": scores.astype(F32)}


NMS = ("boxes", "scores", "most", "iou", "score")
THRESHOLDS = {"most": np.array(5), "iou": np.array(0.4, F32), "score": np.array(0.2, F32)}


@pytest.mark.parametrize("center_point_box", [0, 1])
def test_non_max_suppression(center_point_box: int) -> None:
    suppress = node("NonMaxSuppression", " ".join(NMS), "y", center_point_box=center_point_box)
    inputs = {"boxes": (F32, (1, 30, 4)), "scores": (F32, (1, 3, 30))}
    feeds = [boxes_and_scores(seed, 30, 3) for seed in range(5)]  # Seed 0 selects none.
    session = same(model([suppress], inputs, ["y"], THRESHOLDS), *feeds)
    assert session.get_outputs()[0].shape == [15, 3]


def test_what_detectors_do_behind_it() -> None:
    """Boxes and scores of the selected, best first, at most 7 of them."""
    nodes = [
        node("NonMaxSuppression", " ".join(NMS), "picked"),
        node("Gather", "picked second", "box_index", axis=1),
        node("Squeeze", "boxes first", "boxes0"),
        node("Gather", "boxes0 box_index", "all_boxes", axis=0),
        node("Transpose", "scores", "by_box", perm=[0, 2, 1]),
        node("Gather", "picked columns", "where", axis=1),
        node("GatherND", "by_box where", "all_scores"),
        node("Shape", "all_scores", "found"),
        node("Min", "found seven", "k"),
        node("TopK", "all_scores k", "best order"),
        node("Gather", "all_boxes order", "best_boxes", axis=0),
        node("Sub", "seven k", "missing"),
        node("Concat", "zero missing", "pads", axis=0),
        node("Pad", "best pads", "filled"),
        node("Cast", "k", "count", to=1),
        node("Concat", "all_boxes origin", "with_origin", axis=0),
        node("ReduceMax", "with_origin", "extent", axes=[0], keepdims=0),
    ]
    constants = THRESHOLDS | {
        "second": np.array(2),
        "first": np.array([0]),
        "columns": np.array([0, 2, 1]),
        "seven": np.array([7]),
        "zero": np.array([0]),
        "origin": np.zeros((1, 4), F32),
    }
    inputs = {"boxes": (F32, (1, 40, 4)), "scores": (F32, (1, 2, 40))}
    outputs = ["best", "best_boxes", "filled", "count", "extent"]
    proto = model(nodes, inputs, outputs, constants)
    session = same(proto, *(boxes_and_scores(seed, 40, 2) for seed in range(6)))
    bounds = [y.shape for y in session.get_outputs()]
    assert bounds == [[7], [7, 4], [14], [1], [4]]  # At most 7 found and 7 missing.


def test_an_output_is_never_larger_than_the_model_says() -> None:
    proto = model([node("NonZero", "x", "y")], {"x": (F32, (4, 5))}, ["y"])
    proto.graph.output[0].type.tensor_type.shape.dim.add().dim_value = 2
    proto.graph.output[0].type.tensor_type.shape.dim.add().dim_value = 12
    session = InferenceSession(proto.SerializeToString())
    assert session.get_outputs()[0].shape == [2, 12]
    (y,) = session.run(None, sparse(4, 5)[2])
    np.testing.assert_array_equal(y, np.nonzero(sparse(4, 5)[2]["x"]))


def test_nonzero_and_compress() -> None:
    nodes = [
        node("NonZero", "x", "places"),
        node("Transpose", "places", "rows", perm=[1, 0]),
        node("GatherND", "x rows", "values"),
        node("Slice", "x starts ends axes", "part"),
        node("Squeeze", "part axes", "column"),
        node("Greater", "column zero", "kept"),
        node("Compress", "x kept", "y", axis=0),
    ]
    constants = {
        **{name: np.array([value]) for name, value in (("starts", 0), ("ends", 1), ("axes", 1))},
        "zero": np.array(0, F32),
    }
    outputs = ["places", "rows", "values", "y"]
    same(model(nodes, {"x": (F32, (6, 5))}, outputs, constants), *sparse(6, 5))


def test_arithmetic_on_shapes() -> None:
    """[n, 6] of n rows that are found: reshaped, expanded, filled, numbered and cut by n."""
    nodes = [
        node("NonZero", "x", "columns"),
        node("Transpose", "columns", "places", perm=[1, 0]),
        node("GatherND", "table places", "rows"),
        node("Shape", "rows", "shape"),
        node("Gather", "shape zero", "n", axis=0),
        node("Concat", "n two three", "target", axis=0),
        node("Reshape", "rows target", "cubes"),
        node("Reshape", "rows flat", "line"),
        node("Concat", "n three", "wide", axis=0),
        node("Expand", "one wide", "ones"),
        node("ConstantOfShape", "wide", "zeros"),
        node("Squeeze", "n axis0", "n0"),
        node("Range", "start n0 step", "numbers"),
        node("Div", "n two", "n_half"),
        node("Slice", "numbers axis0 n_half axis0", "half"),
        node("Slice", "rows one_start far axis0", "tail"),
        node("Slice", "rows axis0 two axis0", "head"),
        node("Size", "rows", "size"),
        node("ReduceSum", "rows axis0", "sum", keepdims=0),
        node("Add", "rows rows", "doubled"),
        node("MatMul", "doubled weights", "product"),
        node("Softmax", "product", "shares", axis=1),
        node("Unsqueeze", "n axis0", "n1"),
        node("Greater", "rows zero_f", "positive"),
        node("Where", "positive rows doubled", "chosen"),
    ]
    constants = {
        "table": np.random.default_rng(0).standard_normal((8, 6)).astype(F32),
        "weights": np.random.default_rng(1).standard_normal((6, 3)).astype(F32),
        "zero_f": np.array(0, F32),
        "one": np.ones((1, 1), F32),
        "start": np.array(0),
        "step": np.array(1),
        "flat": np.array([-1]),
        **{name: np.array([0]) for name in ("zero", "axis0")},
        "one_start": np.array([1]),
        "two": np.array([2]),
        "three": np.array([3]),
        "far": np.array([2**62]),
    }
    outputs = [
        *("cubes", "line", "ones", "zeros", "numbers", "half", "tail", "head", "size"),
        *("sum", "product", "shares", "n1", "chosen"),
    ]
    proto = model(nodes, {"x": (F32, (8,))}, outputs, constants)
    same(proto, *sparse(8))


def test_nothing_found_where_something_is_needed_says_so() -> None:
    nodes = [node("NonZero", "x", "places"), node("Gather", "places last", "y", axis=1)]
    proto = model(nodes, {"x": (F32, (8,))}, ["y"], {"last": np.array(-1)})
    session = InferenceSession(proto.SerializeToString())
    full, empty = sparse(8)[0], sparse(8)[-1]
    assert session.run(None, full)[0].tolist() == [7]
    message = r"\(gather\), in this run: input 'places' has no elements: \[1,0\]"
    with pytest.raises(InputError, match=message):
        session.run(None, empty)
    assert session.run(None, full)[0].tolist() == [7]


def test_shapes_that_differ_in_a_run_say_so() -> None:
    nodes = [
        node("NonZero", "x", "a"),
        node("NonZero", "z", "b"),
        node("Add", "a b", "y"),
    ]
    inputs = {"x": (F32, (8,)), "z": (F32, (8,))}
    session = InferenceSession(model(nodes, inputs, ["y"]).SerializeToString())
    all_found, many, *_ = (feed["x"] for feed in sparse(8))
    (y,) = session.run(None, {"x": all_found, "z": all_found})
    np.testing.assert_array_equal(y, 2 * np.arange(8)[None])
    with pytest.raises(InputError, match=r"in this run: shapes .* do not broadcast"):
        session.run(None, {"x": many, "z": all_found})


@pytest.mark.parametrize(
    ("nodes", "text"),
    [
        (
            [node("Split", "places", "y z", axis=1)],
            "Split .* shape .2, <= 12., known only in a run",
        ),
        ([node("Slice", "places a_minus far a_one", "y")], "Slice .* known only in a run"),
        ([node("Add", "places row", "y")], "Add .* known only in a run"),
        ([node("Tile", "places twos", "y")], "Tile .* known only in a run"),
        ([node("Reshape", "places four", "y")], "Reshape .* known only in a run"),
    ],
)
def test_what_needs_the_extent_is_refused_by_name(nodes: list[onnx.NodeProto], text: str) -> None:
    constants = {
        "a_minus": np.array([-3]),
        "far": np.array([2**62]),
        "a_one": np.array([1]),
        "row": np.arange(12)[None],
        "twos": np.array([2, 2]),
        "four": np.array([4, 6]),
    }
    first = node("NonZero", "x", "places")
    outputs = list(nodes[0].output)
    proto = model([first, *nodes], {"x": (F32, (3, 4))}, outputs, constants)
    with pytest.raises(UnsupportedModelError, match=text):
        compile_model(proto)


def test_intermediates_have_the_shapes_of_the_run() -> None:
    nodes = [node("NonZero", "x", "places"), node("Neg", "real", "y")]
    nodes.insert(1, node("Cast", "places", "real", to=1))
    session = InferenceSession(
        model(nodes, {"x": (F32, (8,))}, ["y"]).SerializeToString(), keep_intermediates=True
    )
    for feed in sparse(8):
        session.run(None, feed)
        assert session.tensors()["real"].shape == (1, np.count_nonzero(feed["x"]))
