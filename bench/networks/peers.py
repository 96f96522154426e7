# SPDX-License-Identifier: Apache-2.0
"""Other engines behind one face: a file and its inputs give a call, on one thread.

LiteRT and ncnn read no ONNX, and their converters (TensorFlow, pnnx) are no part of their wheels;
a network joins for them when it comes in their form. MNN's converter is, and writes float networks.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Feed = dict[str, Array]
Call = Callable[[], list[Array]]


def onnxruntime(path: Path, feed: Feed) -> Call:
    """With all optimizations: QDQ becomes integer operators, floats its blocked layout."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda: list(session.run(None, feed))


def openvino(path: Path, feed: Feed) -> Call:
    import openvino as ov

    core = ov.Core()
    model = core.read_model(path)
    model.reshape({name: list(x.shape) for name, x in feed.items()})
    hints = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
    hints["INFERENCE_PRECISION_HINT"] = "f32"  # Otherwise floats become bfloat16 where the CPU can.
    request = core.compile_model(model, "CPU", hints).create_infer_request()

    def run() -> list[Array]:
        results = request.infer(feed, share_inputs=True)
        return [np.array(x) for x in results.values()]

    return run


def mnn(path: Path, feed: Feed) -> Call:
    import MNN

    with tempfile.TemporaryDirectory() as directory:
        converted = Path(directory) / "network.mnn"
        # In a process of its own: its protobuf aborts beside others.
        convert = "import _tools, sys; _tools.mnnconvert(sys.argv)"
        arguments = ["-f", "ONNX", "--modelFile", str(path), "--MNNModel", str(converted)]
        command = [sys.executable, "-c", convert, *arguments, "--bizCode", "bench"]
        subprocess.run(command, check=False, capture_output=True, timeout=300)
        if not converted.exists():
            raise ValueError("its converter does not take the file")
        network = MNN.Interpreter(str(converted))
    session = network.createSession({"numThread": 1, "backend": "CPU"})
    inputs = network.getSessionInputAll(session)
    for name, x in feed.items():
        if x.dtype != np.float32:
            raise ValueError("only float networks come through the converter")
        network.resizeTensor(inputs[name], tuple(x.shape))
    network.resizeSession(session)
    hosts = {
        name: MNN.Tensor(tuple(x.shape), MNN.Halide_Type_Float, x, MNN.Tensor_DimensionType_Caffe)
        for name, x in feed.items()
    }

    def run() -> list[Array]:
        for name, host in hosts.items():
            inputs[name].copyFrom(host)
        network.runSession(session)
        results = []
        for output in network.getSessionOutputAll(session).values():
            shape = output.getShape()
            copy = MNN.Tensor(
                shape, MNN.Halide_Type_Float, np.zeros(shape, np.float32),
                MNN.Tensor_DimensionType_Caffe,
            )  # fmt: skip
            output.copyToHostTensor(copy)
            results.append(np.array(copy.getData(), np.float32).reshape(shape))
        return results

    return run


def bitpose(path: Path, feed: Feed) -> Call:
    import bitpose as engine

    session = engine.InferenceSession(path, threads=1)
    return lambda: list(session.run(None, feed))


PEERS: dict[str, Callable[[Path, Feed], Call]] = {
    "onnxruntime": onnxruntime,
    "openvino": openvino,
    "MNN": mnn,
}


def installed() -> list[str]:
    return [name for name in PEERS if find_spec(name) is not None]
