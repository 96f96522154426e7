# SPDX-License-Identifier: Apache-2.0
"""Random bodies in SMPL's layout."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.layout import SMPL_PARENTS, BodyArrays

Array = NDArray[Any]


def random_arrays(
    seed: int, vertices: int = 40, parents: tuple[int, ...] = SMPL_PARENTS, betas: int = 10
) -> BodyArrays:
    """Vertices of a cloud of a metre; four bones a vertex; some vertices without pose blend."""
    rng = np.random.default_rng(seed)
    joints = len(parents)
    weights = rng.random((vertices, joints)) ** 3
    weights[np.argsort(weights, axis=1).argsort(axis=1) < joints - 4] = 0
    regressor = rng.random((joints, vertices)) ** 9
    posedirs = rng.normal(0, 0.003, (vertices, 3, 9 * (joints - 1)))
    posedirs[::5] = 0
    return BodyArrays(
        v_template=rng.uniform(-0.5, 0.5, (vertices, 3)),
        shapedirs=rng.normal(0, 0.02, (vertices, 3, betas)),
        posedirs=posedirs,
        J_regressor=regressor / regressor.sum(axis=1, keepdims=True),
        lbs_weights=weights / weights.sum(axis=1, keepdims=True),
        parents=np.array(parents, np.int32),
        faces=rng.integers(0, vertices, (2 * vertices, 3)).astype(np.int32),
    )


def as_file(arrays: BodyArrays) -> dict[str, Array]:
    """The entries of a SMPL file: its names, its 2^32 - 1 for no parent, its unsigned faces."""
    parents = arrays.parents.astype(np.int64)
    parents[0] = 2**32 - 1
    return {
        "v_template": arrays.v_template,
        "shapedirs": arrays.shapedirs,
        "posedirs": arrays.posedirs,
        "J_regressor": arrays.J_regressor,
        "weights": arrays.lbs_weights,
        "kintree_table": np.stack([parents, np.arange(len(parents))]),
        "f": arrays.faces.astype(np.uint32),
    }
