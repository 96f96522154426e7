# SPDX-License-Identifier: Apache-2.0
"""By how much fits are too sure of themselves, measured on the clips that the prior is made of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.fit.fitter import Fit, Fitter
from bitpose.body.fit.make import cases
from bitpose.body.fit.make.clips import Clips
from bitpose.body.fit.prior import PosePrior

Array = NDArray[Any]

#: The 90 % quantile of chi-squared with 3 degrees of freedom.
NINETY_PERCENT = 6.251388631170325
_CASES, _SEED, _NOISE = 120, 1, 2.0


def spread(clips: Clips, prior: PosePrior) -> float:
    """What standard deviations must be multiplied by for 90 % ellipsoids to hold 90 %."""
    fitter = Fitter(prior=prior)
    rng = np.random.default_rng(_SEED)
    distances = []
    for case in cases.make(clips, held_out=False, count=_CASES, seed=_SEED):
        fit = fitter.fit([case.view(_NOISE, rng)])
        distances.append(squared_distances(fit, case.joints))
    return float(np.sqrt(np.quantile(np.concatenate(distances), 0.9) / NINETY_PERCENT))


def squared_distances(fit: Fit, joints: Array) -> Array:
    """[J - 1]: of the truth from each fitted joint, both relative to the root, in units of the
    fit's own covariance.
    """
    fitted = fit.posed().t_world_joint
    away = (fitted - fitted[0] - (joints - joints[0]))[1:]
    solved = np.linalg.solve(fit.covariance[1:], away[..., None])[..., 0]
    return np.asarray(np.sum(away * solved, axis=-1))
