# SPDX-License-Identifier: Apache-2.0
"""Carries what was computed for the skin over to the helper vertices of the base mesh."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from bitpose.body.make.makehuman import SKIN

Array = NDArray[Any]

_NEAREST = 4


def with_helpers(template: Array, values: Array, own: Array | None) -> Array:
    """[19158, ...]: values of the skin, and for each helper a mean over the nearest skin.

    With `own` values of all vertices, a helper keeps its own and gets what the skin's differ by,
    without becoming negative and with the same sum.
    """
    distance, nearest = cKDTree(template[:SKIN]).query(template[SKIN:], k=_NEAREST)
    share = 1 / (distance + 1e-4)
    share /= share.sum(axis=1, keepdims=True)
    result = values.copy()
    skin = values[:SKIN] if own is None else values[:SKIN] - own[:SKIN]
    result[SKIN:] = np.einsum("vk,vk...->v...", share, skin[nearest])
    if own is not None:
        result[SKIN:] = np.maximum(result[SKIN:] + own[SKIN:], 0)
        result[SKIN:] /= result[SKIN:].sum(axis=1, keepdims=True)
    return result
