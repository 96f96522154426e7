# SPDX-License-Identifier: Apache-2.0
"""Damaged models give errors of bitpose's own, whatever is wrong with them."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np

from bitpose.compiler import to_graph
from bitpose.errors import InvalidModelError, UnsupportedModelError
from bitpose.lower import lower

from .build import dequantize, model, node, parameters, quantize

TRIES = 1500


def original() -> bytes:
    """A model with an operator of every group."""
    constants = parameters("q", 0.1, 3) | parameters("w", np.full(4, 0.02), np.zeros(4))
    constants |= {
        "wq": np.arange(108).reshape(4, 3, 3, 3).astype(np.int8),
        "pads": np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64),
        "scales": np.array([1, 1, 2, 2], np.float32),
        "shape": np.array([1, 4, -1], np.int64),
        "first": np.array([0], np.int64),
        "second": np.array([1], np.int64),
    }
    steps = [
        node("Pad", "x pads", "a"),
        quantize("a", "b", "q"),
        dequantize("b", "c", "q"),
        dequantize("wq", "wr", "w", axis=0),
        node("Conv", "c wr", "d", strides=[2, 1]),
        node("Relu", "d", "e"),
        quantize("e", "f", "q"),
        dequantize("f", "g", "q"),
        node("Resize", "g - scales", "h", mode="linear"),
        quantize("h", "i", "q"),
        dequantize("i", "j", "q"),
        node("MaxPool", "j", "k", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
        node("Sigmoid", "k", "l"),
        quantize("l", "m", "q"),
        dequantize("m", "n", "q"),
        node("Transpose", "n", "o", perm=[0, 2, 3, 1]),
        node("ArgMax", "o", "y", axis=-1, keepdims=0),
        node("Reshape", "n shape", "p"),
        node("Softmax", "p", "r", axis=1),
        node("Split", "r", "s t", axis=1),
        node("Concat", "s t", "z", axis=2),
        node("NonZero", "z", "u"),
        node("Gather", "u first", "rows", axis=0),
        node("Shape", "u", "extents"),
        node("Gather", "extents second", "count", axis=0),
        node("Slice", "rows first count second", "v"),
    ]
    proto = model(steps, {"x": (np.float32, (1, 3, 6, 6))}, ["y", "z", "v"], constants)
    return bytes(proto.SerializeToString(deterministic=True))


def damaged(data: bytes, r: random.Random) -> bytes:
    result = bytearray(data)
    for _ in range(r.randint(1, 3)):
        i = r.randrange(len(result))
        match r.randrange(4):
            case 0:
                result[i] = r.randrange(256)
            case 1:
                result[i] ^= 1 << r.randrange(8)
            case 2:
                del result[i : i + r.randint(1, 6)]
            case _:
                result[i:i] = r.randbytes(r.randint(1, 4))
    return bytes(result)


def test_damaged_models() -> None:
    data, r, results = original(), random.Random(1), Counter[str]()
    lower(to_graph(data))
    for _ in range(TRIES):
        broken = damaged(data, r)
        try:
            lower(to_graph(broken))
            results["compiled"] += 1
        except (InvalidModelError, UnsupportedModelError) as error:
            results[type(error).__name__] += len(str(error)) > 0
    assert min(results.values()) > 20
    assert len(results) == 3
