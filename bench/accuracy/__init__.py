# SPDX-License-Identifier: Apache-2.0
"""Whether float networks that are compiled to int8 still do their job.

`python -m bench.accuracy` quantizes the float networks of ../shared on three photos and judges them
on three others, beside onnxruntime's static quantization with the same calibration.
`python -m bench.accuracy.pictures FOLDER` draws what they see.
"""
