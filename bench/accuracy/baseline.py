# SPDX-License-Identifier: Apache-2.0
"""onnxruntime's own static quantization."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import version_converter
from onnxruntime import quantization
from onnxruntime.quantization.shape_inference import quant_pre_process

Array = NDArray[Any]
#: DequantizeLinear has a scale per channel from here on.
_OPSET = 13


class _Reader(quantization.CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, feeds: Sequence[Mapping[str, Array]]) -> None:
        self._feeds = iter(feeds)

    def get_next(self) -> Mapping[str, Array] | None:
        return next(self._feeds, None)


def quantize_static(path: Path, feeds: Sequence[Mapping[str, Array]]) -> Any:
    """A session of the network with int8 activations and int8 weights per channel (QDQ)."""
    logging.disable(logging.WARNING)
    onnxruntime.set_default_logger_severity(4)
    with tempfile.TemporaryDirectory() as folder:
        draft, ready, result = (str(Path(folder) / f"{i}.onnx") for i in range(3))
        model = onnx.load(path)
        if next(x.version for x in model.opset_import if x.domain in ("", "ai.onnx")) < _OPSET:
            model = version_converter.convert_version(model, _OPSET)
        onnx.save(model, draft)
        quant_pre_process(draft, ready, skip_symbolic_shape=True)
        quantization.quantize_static(
            ready,
            result,
            _Reader(feeds),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
            activation_type=quantization.QuantType.QInt8,
            weight_type=quantization.QuantType.QInt8,
        )
        return onnxruntime.InferenceSession(result)
