# SPDX-License-Identifier: Apache-2.0
"""Products of matrices, of floats, of codes and of integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bitpose.errors import UnsupportedModelError

from .build import check, dequantize, model, node, operators, parameters, quantize

F = np.float32


def normal(*shape: int) -> NDArray[Any]:
    return np.random.default_rng(1).normal(0, 1, shape).astype(F)


PRODUCTS: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "matrices": ((5, 7), (7, 9)),
    "batch": ((2, 3, 5, 7), (2, 3, 7, 4)),
    "broadcast": ((2, 1, 5, 7), (3, 7, 4)),
    "vector left": ((7,), (2, 7, 4)),
    "vector right": ((2, 5, 7), (7,)),
    "vectors": ((7,), (7,)),
    "one row": ((1, 300), (300, 70)),
}


@pytest.mark.parametrize("case", PRODUCTS)
@pytest.mark.parametrize("constant", [False, True])
def test_matmul(case: str, constant: bool) -> None:
    a, b = PRODUCTS[case]
    inputs: Any = {"a": (F, a)}
    if not constant:
        inputs["b"] = (F, b)
    constants = {"b": normal(*b)} if constant else {}
    graph = check(
        model([node("MatMul", "a b", "y")], inputs, ["y"], constants), rtol=1e-4, atol=1e-4
    )
    dense = constant and len(b) < 3
    assert ("conv2d_f32" if dense else "matmul_f32") in operators(graph)


def test_swapped_axes_are_part_of_the_product() -> None:
    steps = [node("Transpose", "b", "c", perm=[0, 2, 1]), node("MatMul", "a c", "y")]
    graph = check(
        model(steps, {"a": (F, (2, 5, 7)), "b": (F, (2, 4, 7))}, ["y"]), rtol=1e-4, atol=1e-4
    )
    assert operators(graph) == ["matmul_f32"]


@pytest.mark.parametrize("c", [None, (5,), (1, 5), (3, 1), (3, 5), (1,), ()])
@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize(
    "attributes", [{}, {"alpha": 0.5, "beta": 2.0}, {"transA": 1, "transB": 1}]
)
def test_gemm(attributes: dict[str, Any], constant: bool, c: tuple[int, ...] | None) -> None:
    x = (7, 3) if attributes.get("transA") else (3, 7)
    w = (5, 7) if attributes.get("transB") else (7, 5)
    inputs: Any = {"x": (F, x)}
    values = {"w": normal(*w)} | ({} if c is None else {"c": normal(*c)})
    if not constant:
        inputs |= {name: (F, value.shape) for name, value in values.items()}
    step = node("Gemm", "x w" if c is None else "x w c", "y", **attributes)
    check(model([step], inputs, ["y"], values if constant else {}, opset=13), rtol=1e-4, atol=1e-4)


def test_attention_between_codes() -> None:
    steps = [
        dequantize("a", "af", "a"),
        dequantize("b", "bf", "b"),
        node("Transpose", "bf", "bt", perm=[0, 1, 3, 2]),
        node("MatMul", "af bt", "yf"),
        quantize("yf", "y", "y"),
    ]
    constants = {
        **parameters("a", 0.1, 3),
        **parameters("b", 0.05, 100, np.uint8),
        **parameters("y", 4.0, -5),
    }
    inputs: Any = {"a": (np.int8, (1, 2, 6, 16)), "b": (np.uint8, (1, 2, 9, 16))}
    graph = check(model(steps, inputs, ["y"], constants), steps=1)
    assert operators(graph)[-1] == "matmul_qs8"


ZERO_POINTS: dict[str, tuple[Any, Any]] = {
    "none": (None, None),
    "left": (np.uint8(7), None),
    "both": (np.uint8(7), np.int8(-3)),
    "columns": (np.uint8(7), np.arange(-2, 2, dtype=np.int8)),
}


@pytest.mark.parametrize("case", ZERO_POINTS)
@pytest.mark.parametrize("constant", [False, True])
def test_matmul_integer(case: str, constant: bool) -> None:
    names = "a b"
    constants: dict[str, Any] = {}
    for name, zero_point in zip(("az", "bz"), ZERO_POINTS[case], strict=True):
        if zero_point is not None:
            names += f" {name}"
            constants[name] = zero_point
    inputs: Any = {"a": (np.uint8, (3, 7)), "b": (np.int8, (7, 4))}
    if constant:
        del inputs["b"]
        constants["b"] = np.random.default_rng(0).integers(-128, 128, (7, 4)).astype(np.int8)
    graph = check(model([node("MatMulInteger", names, "y")], inputs, ["y"], constants))
    assert "matmul_s32" in operators(graph)


@pytest.mark.parametrize("x", [(2, 4, 7, 6), (2, 4, 9)])
def test_conv_integer(x: tuple[int, ...]) -> None:
    rank = len(x) - 2
    w = np.random.default_rng(0).integers(0, 256, (6, 2, *[3] * rank)).astype(np.uint8)
    step = node("ConvInteger", "x w xz wz", "y", group=2, pads=[1, 2] * rank, strides=[2] * rank)
    zero_points = {"xz": np.array(9, np.uint8), "wz": np.array(130, np.uint8)}
    check(model([step], {"x": (np.uint8, x)}, ["y"], {"w": w, **zero_points}))


def test_dynamic_quantization() -> None:
    """Weights of 8 bits, activations that are quantized by their range in each run."""
    steps = [
        node("DynamicQuantizeLinear", "x", "q s z"),
        node("MatMulInteger", "q w z", "i"),
        node("Cast", "i", "f", to=1),
        node("Mul", "f s", "y"),
    ]
    w = np.random.default_rng(0).integers(-128, 128, (7, 4)).astype(np.int8)
    check(model(steps, {"x": (F, (3, 7))}, ["y", "q", "s", "z"], {"w": w}), steps=1)


EQUATIONS: dict[str, tuple[str, list[tuple[int, ...]]]] = {
    "product": ("ij,jk->ik", [(3, 4), (4, 5)]),
    "attention": ("bhid,bhjd->bhij", [(2, 3, 4, 5), (2, 3, 6, 5)]),
    "heads last": ("bihd,bjhd->bhij", [(2, 4, 3, 5), (2, 6, 3, 5)]),
    "implicit": ("ij,jk", [(3, 4), (4, 5)]),
    "ellipsis": ("...ij,...jk->...ik", [(2, 3, 4), (2, 4, 5)]),
    "two inner axes": ("aijb,ijk->kab", [(2, 3, 4, 5), (3, 4, 6)]),
    "outer": ("i,j->ij", [(3,), (4,)]),
    "inner": ("i,i->", [(5,), (5,)]),
    "transpose": ("ij->ji", [(3, 4)]),
    "sum": ("ijk->k", [(3, 4, 5)]),
    "summed before": ("ijl,jk->ik", [(3, 4, 2), (4, 5)]),
}


@pytest.mark.parametrize("case", EQUATIONS)
def test_einsum(case: str) -> None:
    equation, shapes = EQUATIONS[case]
    inputs: Any = {f"x{i}": (F, shape) for i, shape in enumerate(shapes)}
    step = node("Einsum", " ".join(inputs), "y", equation=equation)
    check(model([step], inputs, ["y"]), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("equation", "shapes", "message"),
    [
        ("ii->i", [(3, 3)], "an axis twice"),
        ("i,i,i->i", [(3,), (3,), (3,)], "there are 3 operands"),
    ],
)
def test_einsum_refused(equation: str, shapes: list[tuple[int, ...]], message: str) -> None:
    inputs: Any = {f"x{i}": (F, shape) for i, shape in enumerate(shapes)}
    step = node("Einsum", " ".join(inputs), "y", equation=equation)
    with pytest.raises(UnsupportedModelError, match=message):
        check(model([step], inputs, ["y"]))
