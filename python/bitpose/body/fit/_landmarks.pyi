# SPDX-License-Identifier: Apache-2.0
"""Hot loops of landmarks, in Cython. N = bodies, K = points, M = pairs of a point and a bone, T =
pairs of these and a joint whose pose corrects them, J = joints, B = betas; float64 and int32.

The pairs of point k are starts[k] .. starts[k + 1] - 1, the terms of pair m corrected[m] ..
corrected[m + 1] - 1. Nothing is checked here; landmarks.py does.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_Index = NDArray[np.int32]

def positions(
    R: NDArray[Any],
    t: NDArray[Any],
    features: NDArray[Any],
    betas: NDArray[Any],
    starts: _Index,
    bones: _Index,
    shares: NDArray[Any],
    rest: NDArray[Any],
    by_shape: NDArray[Any],
    corrected: _Index,
    correctors: _Index,
    corrections: NDArray[Any],
    parts: NDArray[Any],
    dst: NDArray[Any],
) -> None:
    """Writes the terms of the sum, `parts` [N, M, 3], and adds them up in `dst` [N, K, 3].

    `R` [N, J, 3, 3], `t` [N, J, 3], `features` [N, J, 9], `betas` [N, B], `starts` [K + 1], `bones`
    [M], `shares` [M], `rest` [M, 3], `by_shape` [M, 3, B], `corrected` [M + 1], `correctors` [T],
    `corrections` [T, 3, 9].
    """

def jacobian(
    R: NDArray[Any],
    t: NDArray[Any],
    axes: NDArray[Any],
    features_by_turn: NDArray[Any],
    joints_by_shape: NDArray[Any],
    parents: _Index,
    starts: _Index,
    bones: _Index,
    shares: NDArray[Any],
    by_shape: NDArray[Any],
    corrected: _Index,
    correctors: _Index,
    corrections: NDArray[Any],
    parts: NDArray[Any],
    dst_by_turn: NDArray[Any],
    dst_by_shape: NDArray[Any],
) -> None:
    """Adds derivatives to `dst_by_turn` [N, K, 3, J, 3] and `dst_by_shape` [N, K, 3, B].

    The columns of `axes` [N, J, 3, 3] are what the three numbers of a joint turn it about, in the
    world; `features_by_turn` [N, J, 9, 3] is what they do to its pose features.
    """
