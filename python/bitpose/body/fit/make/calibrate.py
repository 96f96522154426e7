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
    """What standard deviations must be multiplied by for 90 % ellipsoids to hold at least 90 %, of
    one view as of two.
    """
    fitter = Fitter(prior=prior)
    rng = np.random.default_rng(_SEED)
    distances: tuple[list[Array], list[Array]] = ([], [])
    for case in cases.make(clips, held_out=False, count=_CASES, seed=_SEED):
        views = [case.view(_NOISE, rng), case.view(_NOISE, rng, second=True)]
        for number, of_views in enumerate(distances):
            fit = fitter.fit(views[: number + 1])
            of_views.append(squared_distances(fit, case.joints))
    quantiles = [np.quantile(np.concatenate(of_views), 0.9) for of_views in distances]
    return float(np.sqrt(max(quantiles) / NINETY_PERCENT))


def squared_distances(fit: Fit, joints: Array) -> Array:
    """[J - 1]: of the truth from each fitted joint, both relative to the root, in units of the
    fit's own covariance.
    """
    fitted = fit.posed().t_world_joint
    away = (fitted - fitted[0] - (joints - joints[0]))[1:]
    solved = np.linalg.solve(fit.covariance[1:], away[..., None])[..., 0]
    return np.asarray(np.sum(away * solved, axis=-1))
