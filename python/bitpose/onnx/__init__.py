# SPDX-License-Identifier: Apache-2.0
"""Reading ONNX models into the internal graph."""
