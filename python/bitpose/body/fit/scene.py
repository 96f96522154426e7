# SPDX-License-Identifier: Apache-2.0
"""Fits people of one photo, who share its focal length and stand on one ground.

Each alone says little of either; all together say how long the focal length is and where up is, and
with both known each is fitted again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.body.fit.checks import positive
from bitpose.body.fit.fitter import Fit, Fitter, direction
from bitpose.body.fit.parameters import Guesses
from bitpose.body.fit.problem import FOCAL_DEVIATION
from bitpose.body.fit.views import View
from bitpose.errors import InputError

Array = NDArray[Any]

#: The least deviation of up, in radians, of many people: ground is not quite level.
_LEVEL = 0.05
#: Logarithms of focal lengths that are tried, relative to the likeliest.
_FOCAL_STEPS = (-0.9, -0.6, -0.3, 0.0, 0.3, 0.6, 0.9)


@dataclass(frozen=True, eq=False)
class SceneFit:
    """The people of one photo."""

    people: tuple[Fit, ...]
    """In the order of their views."""
    focal: float
    """Pixels."""
    up: Array
    """[3]: where up is in the camera's frame."""
    tilt: float
    """Its standard deviation in radians."""


def fit_scene(
    fitter: Fitter,
    views: Sequence[View],
    up: ArrayLike = (0, -1, 0),
    tilt: float = 0.15,
    solid: bool = True,
) -> SceneFit:
    """Everyone who was seen by one camera, a view for each, with one focal length and one up.

    `up` and `tilt` are what is known before, as for `Fitter.fit`. Raises InputError as it does, for
    no view, and for views of several cameras.
    """
    if not len(views):
        raise InputError("there is no view")
    cameras = [(view.focal, *np.ravel(view.R_view_world), *np.ravel(view.t_view_world),
                *np.ravel(view.center)) for view in views]  # fmt: skip
    if any(camera != cameras[0] for camera in cameras):
        raise InputError("views of several cameras; those of one photo have one")
    expected, tilt = direction(up), positive("tilt", tilt)

    def alone(focal: float) -> tuple[float, list[Guesses]]:
        """The energy of everyone with this focal length, and the likeliest body of each."""
        likely = fitter.problem(views[:1], None, up, tilt, solid).log_focal
        total = 0.5 * ((np.log(focal) - likely) / FOCAL_DEVIATION) ** 2
        bodies = []
        for view in views:
            problem = fitter.problem([replace(view, focal=focal)], None, up, tilt, solid)
            guesses, at = fitter.candidates(problem)
            total += at.energy[0]
            bodies.append(guesses)
        return float(total), bodies

    focal = views[0].focal
    if focal is None:
        likely = np.exp(fitter.problem(views[:1], None, up, tilt, solid).log_focal)
        tried = [float(likely * np.exp(step)) for step in _FOCAL_STEPS]
        focal = min(tried, key=lambda length: alone(length)[0])
    shared, spread = _shared_up(fitter, alone(focal)[1], expected, tilt)
    known = [replace(view, focal=focal) for view in views]
    people = tuple(fitter.fit([view], None, shared, spread, solid) for view in known)
    return SceneFit(people, focal, shared, spread)


def _shared_up(
    fitter: Fitter, alone: Sequence[Guesses], expected: Array, tilt: float
) -> tuple[Array, float]:
    """Up in the world, [3], and its deviation: what was expected, corrected by what each says."""
    before = np.eye(3) / tilt**2
    precision, pull = before.copy(), before @ expected
    for guesses in alone:
        R = guesses.R_world_root[0]
        mean, covariance = fitter.prior.up_given(guesses.body_pose[0].ravel(), R.T @ expected, tilt)
        after = np.linalg.inv(R @ covariance @ R.T + 1e-9 * np.eye(3))
        pull += after @ (R @ mean) - before @ expected
        precision += after - before
    found = np.linalg.solve(precision, pull)
    spread = np.sqrt(np.trace(np.linalg.inv(precision)) / 2)  # A direction varies in two ways.
    return found / np.linalg.norm(found), float(np.clip(spread, _LEVEL, tilt))
