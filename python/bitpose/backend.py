# SPDX-License-Identifier: Apache-2.0
"""bitpose behind ONNX's backend interface (`onnx.backend.base`).

import bitpose.backend

prepared = bitpose.backend.prepare(onnx.load("net.onnx"))
outputs = prepared.run([x])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, helper
from onnx.backend.base import Backend, BackendRep

from bitpose.errors import InputError
from bitpose.session import InferenceSession

Array = NDArray[Any]


class BitposeRep(BackendRep):
    """A prepared model."""

    def __init__(self, session: InferenceSession) -> None:
        self._session = session

    def run(self, inputs: Any, **kwargs: Any) -> tuple[Any, ...]:
        """The outputs in order; `inputs` are arrays in the order of the model's inputs, or a dict.

        Raises InputError.
        """
        names = [x.name for x in self._session.get_inputs()]
        if isinstance(inputs, dict):
            feed = inputs
        else:
            arrays = [inputs] if isinstance(inputs, np.ndarray) else list(inputs)
            if len(arrays) != len(names):
                raise InputError(f"the model has the inputs {names}, got {len(arrays)} arrays")
            feed = dict(zip(names, arrays, strict=True))
        return tuple(self._session.run(None, feed))


class BitposeBackend(Backend):
    """Compiles ONNX models for the CPU. What it cannot compile raises UnsupportedModelError."""

    @classmethod
    def prepare(cls, model: ModelProto, device: str = "CPU", **kwargs: Any) -> BitposeRep:
        """`kwargs` are those of `InferenceSession`."""
        _check_device(device)
        return BitposeRep(InferenceSession(model.SerializeToString(deterministic=True), **kwargs))

    @classmethod
    def run_model(
        cls, model: ModelProto, inputs: Any, device: str = "CPU", **kwargs: Any
    ) -> tuple[Any, ...]:
        return cls.prepare(model, device, **kwargs).run(inputs)

    @classmethod
    def run_node(
        cls,
        node: NodeProto,
        inputs: Sequence[Array],
        device: str = "CPU",
        outputs_info: Any = None,
        **kwargs: Any,
    ) -> tuple[Any, ...]:
        """Runs one node on arrays for its operands that are not absent.

        `opset_version` chooses the operator set, the newest by default.
        """
        opset = kwargs.pop("opset_version", None)
        names = [name for name in dict.fromkeys(node.input) if name]
        graph = helper.make_graph(
            [node],
            "node",
            [
                helper.make_tensor_value_info(
                    name, helper.np_dtype_to_tensor_dtype(np.asarray(x).dtype), np.shape(x)
                )
                for name, x in zip(names, inputs, strict=True)
            ],
            [helper.make_empty_tensor_value_info(name) for name in node.output if name],
        )
        opsets = [helper.make_opsetid("", opset)] if opset is not None else None
        return cls.run_model(
            helper.make_model(graph, opset_imports=opsets), inputs, device, **kwargs
        )

    @classmethod
    def supports_device(cls, device: str) -> bool:
        return device.split(":", maxsplit=1)[0] == "CPU"


def _check_device(device: str) -> None:
    if not BitposeBackend.supports_device(device):
        raise InputError(f"device {device!r}; bitpose has CPU")


is_compatible = BitposeBackend.is_compatible
prepare = BitposeBackend.prepare
run_model = BitposeBackend.run_model
run_node = BitposeBackend.run_node
supports_device = BitposeBackend.supports_device
