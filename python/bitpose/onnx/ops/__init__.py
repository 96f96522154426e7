# SPDX-License-Identifier: Apache-2.0
"""One function per ONNX operator, in a file per group. Importing this package registers all."""

from bitpose.onnx.ops import (  # noqa: F401
    activations,
    arithmetic,
    batch_normalization,
    constants,
    convolution,
    einsum,
    folding,
    fused,
    gather,
    integer,
    logical,
    masks,
    matrix,
    normalization,
    pad,
    parts,
    pooling,
    qlinear,
    quantization,
    reduction,
    resize,
    selection,
    shaping,
    softmax,
)
