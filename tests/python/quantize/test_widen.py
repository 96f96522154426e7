# SPDX-License-Identifier: Apache-2.0
"""Tensors of 16 bits in a quantized graph."""

from __future__ import annotations

import numpy as np

from bitpose.ir.graph import Graph
from bitpose.ir.reference import run
from bitpose.passes import FLOAT_PIPELINE, run_passes
from bitpose.quantize import quantize
from bitpose.quantize.widen import widen

from .test_quantizer import feeds, network, outputs, sqnr


def points(graph: Graph) -> list[str]:
    return [n.outputs[0] for n in graph.nodes if n.op == "DequantizeLinear"]


def test_everything() -> None:
    """Only the weights have 8 bits then, and convolutions are integers still."""
    feed = feeds(1)[0]
    floats = run_passes(network(), FLOAT_PIPELINE)
    quantized = quantize(floats, feeds())
    graphs = [run_passes(g) for g in (quantized, widen(quantized, points(quantized)))]
    exact = outputs(floats, feed)
    eight, sixteen = (sqnr(exact, np.asarray(run(g, feed)["y"])) for g in graphs)
    assert sixteen > eight + 3
    found = [n.op for n in graphs[1].nodes]
    assert found.count("conv2d_qs16") == 2
    assert found.count("conv2d_f32") == 1
    assert not any(op.endswith("qs8") for op in found)


def test_single_tensors() -> None:
    """What is not named stays, so layers read and write either width."""
    quantized = quantize(run_passes(network(), FLOAT_PIPELINE), feeds())
    graph = run_passes(widen(quantized, ["a"]))
    found = {(n.op, graph.tensor(n.outputs[0]).dtype.name) for n in graph.nodes}
    wide = {("requantize", "int16"), ("conv2d_qs16", "int16"), ("conv2d_qs16", "int8")}
    assert found >= wide | {("conv2d_qs8_f32", "float32")}


def test_codes_span_twice_the_reals() -> None:
    quantized = quantize(run_passes(network(), FLOAT_PIPELINE), feeds())
    graph = widen(quantized, points(quantized))
    for before, after in zip(quantized.nodes, graph.nodes, strict=True):
        if before.op != "QuantizeLinear":
            continue
        (s, z), (s16, z16) = (
            [g.tensor(x).data for x in n.inputs[1:]]
            for g, n in ((quantized, before), (graph, after))
        )
        assert s is not None
        assert z is not None
        reach = np.maximum(np.float64(127) - z, np.float64(128) + z) * s
        np.testing.assert_allclose(np.asarray(s16, np.float64) * 32767, 2 * reach, 1e-6)
        assert not np.any(z16)
