# SPDX-License-Identifier: Apache-2.0
"""Inputs for networks that nobody has given any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bitpose.session import NodeArg

Feed = dict[str, "NDArray[Any]"]


def random_feed(inputs: Sequence[NodeArg], seed: int = 0) -> Feed:
    """Inputs of the right shapes: uniform codes, floats in [0, 1)."""
    import numpy as np

    random = np.random.Generator(np.random.PCG64(seed))
    feed: Feed = {}
    for x in inputs:
        if x.dtype.kind == "f":
            feed[x.name] = random.random(x.extents, np.float32)
        elif x.dtype.kind == "b":
            feed[x.name] = random.random(x.extents) < 0.5
        else:
            limits = np.iinfo(x.dtype)
            feed[x.name] = random.integers(
                limits.min, limits.max, x.extents, x.dtype, endpoint=True
            )
    return feed
