# SPDX-License-Identifier: Apache-2.0
"""What the importer refuses, how it says so, and what it takes from outside a model's bytes."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from bitpose.compiler import to_graph
from bitpose.errors import InvalidModelError, UnsupportedModelError
from bitpose.ir.graph import Graph
from bitpose.ir.reference import run
from bitpose.onnx import registry
from bitpose.onnx.importer import import_model
from bitpose.session import InferenceSession

from .build import check, model, node, onnxruntime_outputs, operators

F = np.float32


def compile_graph(proto: onnx.ModelProto, **options: Any) -> Graph:
    return to_graph(proto.SerializeToString(), **options)


def problems(proto: onnx.ModelProto) -> list[str]:
    with pytest.raises(UnsupportedModelError) as caught:
        import_model(proto)
    return [str(problem) for problem in caught.value.problems]


def test_everything_missing_is_reported_at_once() -> None:
    """Also behind nodes that failed, as far as the model says what they give."""
    steps = [
        node("Bernoulli", "x", "a"),
        node("Resize", "a - s", "b", mode="nearest"),
        node("MaxPool", "c", "e", kernel_shape=[2, 2], pads=[-1, 0, 0, 0]),
        node("LSTM", "e", "y"),
        node("Relu", "y", "z"),
    ]
    steps[3].domain = "com.example"
    proto = model(steps, {"x": (F, (1, 1, 4, 4)), "c": (F, (1, 1, 4, 4))}, ["b", "z"], opset=18)
    proto.graph.input.append(helper.make_tensor_value_info("s", TensorProto.FLOAT, [4]))
    proto.graph.value_info.append(
        helper.make_tensor_value_info("a", TensorProto.FLOAT, [1, 1, 4, 4])
    )
    assert problems(proto) == [
        "Bernoulli (opset 18) 'Bernoulli a': has no importer; "
        "supported: the operators in docs/operators.md",
        "Resize (opset 18) 'Resize b': scales is computed at run time; "
        "supported: a constant scales",
        "MaxPool (opset 18) 'MaxPool e': pads are [-1, 0, 0, 0]; supported: pads from 0",
        "LSTM (opset 18) 'LSTM y': has no importer in the domain 'com.example'; "
        "supported: the operators in docs/operators.md",
    ]


def test_opsets_of_operators() -> None:
    proto = model([node("HardSwish", "x", "y")], {"x": (F, (2,))}, ["y"], opset=13)
    (problem,) = problems(proto)
    assert problem.endswith("has no importer; supported: opsets 14-28")


def test_unknown_attributes() -> None:
    (problem,) = problems(model([node("Relu", "x", "y", beta=1.0)], {"x": (F, (2,))}, ["y"]))
    assert problem.endswith("attribute beta; supported: no attributes")


@pytest.mark.parametrize("opset", [6, 29])
def test_opsets_of_models(opset: int) -> None:
    proto = model([node("Relu", "x", "y")], {"x": (F, (2,))}, ["y"], opset=opset)
    (problem,) = problems(proto)
    assert problem == f"opset 'model': it is {opset}; supported: opsets 7 to 28"


def test_dtypes() -> None:
    constants = {"c": np.ones(2, np.float64)}
    inputs: Any = {"x": (F, (2,)), "h": (np.float64, (2,))}
    proto = model([node("Add", "x c", "y"), node("Relu", "h", "z")], inputs, ["y", "z"], constants)
    first, second = problems(proto)
    assert first.startswith("initializer 'c': has ONNX data type 11; supported: float32, uint8, ")
    assert second.startswith("input 'h': its type is no tensor of a supported dtype")


def test_free_extents() -> None:
    proto = model([node("Relu", "x", "y")], {"x": (F, ("batch", 3, None))}, ["y"])
    (problem,) = problems(proto)
    assert problem.startswith(
        "input 'x': shape [None, 3, None] has free extents; supported: shapes="
    )
    graph = compile_graph(proto, shapes={"x": (2, 3, 4)})
    assert graph.tensor("y").shape == (2, 3, 4)
    for shape in ((2, 5, 4), (2, 3), (-1, 3, 4)):
        with pytest.raises(InvalidModelError, match="input 'x' has shape"):
            compile_graph(proto, shapes={"x": shape})
    with pytest.raises(InvalidModelError, match=r"has no inputs \['v'\]"):
        compile_graph(proto, shapes={"v": (1,)})


def external(location: str, **fields: str) -> onnx.ModelProto:
    """A model whose constant c lies in a file."""
    proto = model([node("Add", "x c", "y")], {"x": (F, (4,))}, ["y"], {"c": np.arange(4, dtype=F)})
    constant = proto.graph.initializer[0]
    constant.ClearField("raw_data")
    constant.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **fields}.items():
        entry = constant.external_data.add()
        entry.key, entry.value = key, value
    return proto


def test_external_data(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(b"\0" * 8 + np.arange(4, dtype=F).tobytes())
    graph = import_model(external("weights", offset="8", length="16"), folder=tmp_path)
    data = graph.tensor("c").data
    assert data is not None
    assert data.tolist() == [0, 1, 2, 3]


def test_external_data_needs_a_folder() -> None:
    (problem,) = problems(external("weights"))
    assert "its data is in the file 'weights'" in problem


@pytest.mark.parametrize(
    ("location", "fields"),
    [
        ("../secret", {}),
        ("/etc/passwd", {}),
        ("link", {}),
        ("", {}),
        ("absent", {}),
        ("weights", {"length": "1000000"}),
        ("weights", {"offset": "-1"}),
        ("weights", {"offset": "x"}),
        ("weights", {"offset": "12"}),
    ],
)
def test_external_data_stays_in_its_folder(
    tmp_path: Path, location: str, fields: dict[str, str]
) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "weights").write_bytes(bytes(16))
    (tmp_path / "secret").write_bytes(bytes(16))
    (folder / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(InvalidModelError, match="constant 'c'"):
        import_model(external(location, **fields), folder=folder)


def test_damaged_constants() -> None:
    proto = model([node("Add", "x c", "y")], {"x": (F, (4,))}, ["y"], {"c": np.ones(4, F)})
    for dims in ([5], [-4], [2**20, 2**20], [3]):
        del proto.graph.initializer[0].dims[:]
        proto.graph.initializer[0].dims.extend(dims)
        with pytest.raises(InvalidModelError, match="constant 'c' has"):
            import_model(proto)


def test_typed_constants() -> None:
    """Constants that are not raw bytes."""
    proto = model([node("Add", "x c", "y")], {"x": (F, (2,))}, ["y"])
    constant = helper.make_tensor("c", TensorProto.FLOAT, [2], [1.5, -2.0])
    proto.graph.initializer.append(constant)
    check(proto)
    constant = proto.graph.initializer[0]
    constant.dims[0] = 3
    with pytest.raises(InvalidModelError, match="constant 'c'"):
        import_model(proto)


def test_damaged_graphs() -> None:
    inputs: Any = {"x": (F, (2,))}
    cases = {
        "reads 'a' too early": [node("Relu", "a", "y"), node("Relu", "x", "a")],
        "defined twice": [node("Relu", "x", "y"), node("Neg", "x", "y")],
        "output 'y' is never written": [node("Relu", "x", "a")],
        "has 2 operands": [node("Relu", "x x", "y")],
        "has 2 outputs": [node("Relu", "x", "y z")],
        "lacks an operand": [node("Relu", "-", "y")],
        "lacks attribute axis": [node("Concat", "x x", "y")],
        "attribute axis is no int": [node("Concat", "x x", "y", axis="1")],
        "do not broadcast": [
            node("Constant", "", "c", value_floats=[1.0, 2.0, 3.0]),
            node("Add", "x c", "y"),
        ],
    }
    for message, steps in cases.items():
        with pytest.raises(InvalidModelError, match=message):
            import_model(model(steps, inputs, ["y"]))


def test_no_opset() -> None:
    proto = model([node("Relu", "x", "y")], {"x": (F, (2,))}, ["y"])
    del proto.opset_import[:]
    with pytest.raises(InvalidModelError, match="no opset"):
        import_model(proto)


@pytest.mark.parametrize("data", [b"", b"bitpose", b"\x08", b"\xff" * 100])
def test_bytes_that_are_no_model(data: bytes) -> None:
    with pytest.raises(InvalidModelError):
        to_graph(data)


def test_outputs_that_only_pass_on() -> None:
    steps = [node("Identity", "x", "y"), node("Identity", "c", "z"), node("Identity", "y", "w")]
    proto = model(steps, {"x": (F, (2,))}, ["y", "z", "w"], {"c": np.ones(2, F)})
    assert operators(check(proto)) == ["reshape"] * 3


def test_constants_as_outputs() -> None:
    proto = model([node("Relu", "x", "y")], {"x": (F, (2,))}, ["y", "c"], {"c": np.ones(2, F)})
    assert set(operators(compile_graph(proto))) == {"unary_f32", "reshape"}


def test_inputs_as_outputs_are_refused() -> None:
    (problem,) = problems(model([node("Relu", "x", "y")], {"x": (F, (2,))}, ["y", "x"]))
    assert problem == "output 'x': it is a graph input; supported: outputs of nodes"


def test_initializers_may_be_listed_as_inputs() -> None:
    proto = model([node("Add", "x c", "y")], {"x": (F, (2,)), "c": (F, (2,))}, ["y"])
    proto.graph.initializer.append(numpy_helper.from_array(np.ones(2, F), "c"))
    assert import_model(proto).inputs == ("x",)


def test_names_of_steps_do_not_collide() -> None:
    """Gemm needs steps in between; here ONNX has taken their names."""
    steps = [node("Relu", "x", "g/Gemm.0"), node("Gemm", "x w", "y")]
    steps[1].name = "g"
    proto = model(steps, {"x": (F, (2, 3))}, ["y", "g/Gemm.0"], {"w": np.ones((3, 4), F)})
    check(proto)


def test_names_may_hold_what_passes_use() -> None:
    """Tensors called like those that passes add."""
    steps = [
        node("Transpose", "x@0231", "a", perm=[0, 3, 1, 2]),
        node("Conv", "a w", "y"),
        node("Add", "y y@bias", "z@0231"),
    ]
    constants = {"w": np.ones((2, 3, 1, 1), F), "y@bias": np.array(5, F)}
    proto = model(steps, {"x@0231": (F, (1, 4, 4, 3))}, ["y", "z@0231"], constants)
    graph = check(proto)
    assert graph.inputs == ("x@0231",)
    assert graph.outputs == ("y", "z@0231")


def test_tensors_without_elements() -> None:
    """Inside, as outputs, and as inputs of free extent."""
    steps = [
        node("Slice", "x two two", "y"),
        node("Concat", "y x y", "z", axis=0),
        node("ReduceSum", "y", "s", keepdims=0),
        node("Concat", "batch c", "b", axis=0),
        node("Conv", "b w", "o"),
    ]
    constants = {
        "two": np.array([2]),
        "c": np.ones((2, 3, 4, 4), F),
        "w": np.ones((2, 3, 3, 3), F),
    }
    proto = model(
        steps, {"x": (F, (4,)), "batch": (F, ("n", 3, 4, 4))}, ["y", "z", "s", "b", "o"], constants
    )
    for n in (0, 1):
        feed = {"x": np.arange(4, dtype=F), "batch": np.ones((n, 3, 4, 4), F)}
        got = InferenceSession(proto.SerializeToString()).run(None, feed)
        for y, reference in zip(got, onnxruntime_outputs(proto, feed), strict=True):
            assert y.shape == reference.shape
            np.testing.assert_array_equal(y, reference)
        graph = to_graph(proto.SerializeToString(), shapes={"batch": (n, 3, 4, 4)})
        assert run(graph, feed)["o"].shape == (n + 2, 2, 2, 2)


def test_support_table() -> None:
    table = registry.support_table()
    assert (
        "| Clip | 7-10 | float32. |\n"
        "| Clip | 11-28 | float32, int8, uint8, int16, int32, int64. |\n" in table
    )
    assert all(row.note for row in registry.registrations())
    page = Path(__file__).parents[3] / "docs" / "operators.md"
    assert page.read_text().endswith(table)
    spans: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for row in registry.registrations():
        spans.setdefault((row.domain, row.op), []).append((row.first, row.last))
    for op, ranges in spans.items():
        assert all(a[1] < b[0] for a, b in pairwise(ranges)), op
