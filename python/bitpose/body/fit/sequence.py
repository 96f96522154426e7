# SPDX-License-Identifier: Apache-2.0
"""Fits one body to the frames of a video: one shape and focal length, and smooth motion.

1. A few frames a second are fitted alone, each with several guesses. The path through the guesses
   that is likeliest, by their energies and by how far joints move between them, is kept (Viterbi).
2. Shape and focal length are what these frames agree on.
3. Between them the other frames are interpolated, and all are fitted with accelerations that are
   normally distributed, as wide as in motion capture. The system is block banded, so time is
   linear; windows that overlap bound the memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.body.fit import banded, motion
from bitpose.body.fit.checks import positive
from bitpose.body.fit.fitter import FEWEST, Fitter
from bitpose.body.fit.parameters import Guesses
from bitpose.body.fit.problem import FOCAL_DEVIATION, Problem
from bitpose.body.fit.solve import Quadratic
from bitpose.body.fit.stages import free_parameters
from bitpose.body.fit.views import View
from bitpose.body.model import PosedBody, ShapedBody
from bitpose.errors import InputError

Array = NDArray[Any]

#: Seconds between frames that are fitted alone.
_STRIDE = 0.3
#: Metres a second that a joint moves, as a standard deviation.
_SPEED = 0.7
#: Poses this many seconds apart are as good as independent of each other.
_INDEPENDENT = 0.1
#: Frames of a window, and how many of them the next window fits again.
_WINDOW, _OVERLAP = 96, 16
#: Frames before a window that stay: as many as accelerations need.
_HELD = 2
_ROUNDS, _TOLERANCE = 15, 1e-3


@dataclass(frozen=True, eq=False)
class SequenceFit:
    """A body in T frames."""

    shaped: ShapedBody
    R_parent_joint: Array
    """[T, J, 3, 3]."""
    translation: Array
    """[T, 3] metres, in the world of the views."""
    focal: float | None
    """Pixels: the fitted one, of all views that came without; None where none did."""

    def posed(self) -> PosedBody:
        """The body in all frames."""
        return self.shaped.with_pose(self.R_parent_joint, self.translation)


def fit_sequence(
    fitter: Fitter,
    frames: Sequence[Sequence[View]],
    frames_per_second: float,
    up: ArrayLike | None = (0, -1, 0),
    tilt: float = 0.15,
    solid: bool = True,
) -> SequenceFit:
    """The motion that is likeliest behind what was seen in each of `frames`.

    A frame has views as in `Fitter.fit`; it may have none, and see less than a fit of its own would
    need: its neighbours say where the body is. Raises InputError as `Fitter.fit`, where no frame
    sees enough, and for a rate that is not positive.
    """
    rate = positive("frames_per_second", frames_per_second)
    if not len(frames):
        raise InputError("there is no frame")
    density = fitter.density(up, tilt)
    problems = [fitter.problem_of_frame(views, None, density, up, solid) for views in frames]
    keys = _key_frames(fitter, problems, rate)
    fixed_focal = all(view.focal is not None for frame in frames for view in frame)
    seconds = np.array(keys) / rate
    guesses, sure = _likeliest_path(fitter, [problems[key] for key in keys], seconds, fixed_focal)
    chosen = _one_shape(guesses, sure, problems[keys[0]].log_focal, fixed_focal)
    smooth = motion.MotionPrior.of(fitter.prior, rate)
    weight = min(1.0, 1 / (rate * _INDEPENDENT))
    lighter = [replace(problem, prior_weight=weight) for problem in problems]
    start = motion.interpolated(chosen, np.array(keys), len(frames))
    path = _in_windows(lighter, start, smooth)
    posed = path.posed(fitter.joints.skeleton)
    return SequenceFit(
        fitter.model.with_shape(path.betas[0]),
        posed.R_parent_joint,
        path.translation,
        None if fixed_focal else float(np.exp(path.log_focal[0])),
    )


def _key_frames(fitter: Fitter, problems: Sequence[Problem], rate: float) -> list[int]:
    """Frames that see enough for a fit of their own: of each stretch the one that sees most."""
    seen = [fitter.sees(problem) for problem in problems]
    stride = max(1, round(rate * _STRIDE))
    keys = []
    for first in range(0, len(seen), stride):
        stretch = seen[first : first + stride]
        best = first + int(np.argmax(stretch))
        if seen[best] >= FEWEST:
            keys.append(best)
    if not keys:
        raise InputError(
            f"too few points were seen for a fit in each of {len(seen)} frames: at most "
            f"{max(seen, default=0)}, need {FEWEST}"
        )
    return keys


def _likeliest_path(
    fitter: Fitter, problems: Sequence[Problem], seconds: Array, fixed_focal: bool
) -> tuple[Guesses, Array]:
    """Of each frame one of its guesses, and how sure it is of the shape, as `_how_sure`."""
    found, back = [], []
    cost, points = np.zeros(1), np.zeros((1, 0, 3))
    for number, problem in enumerate(problems):
        guesses, at = fitter.candidates(problem)
        here = fitter.joints.positions(guesses.posed(fitter.joints.skeleton))
        total = at.energy + cost[:, None]
        if number:
            deviation = _SPEED * (seconds[number] - seconds[number - 1])
            apart = (here - points[:, None]) / deviation
            total = total + 0.5 * np.sum(apart**2, axis=(2, 3))
        found.append((guesses, _how_sure(guesses, at, fixed_focal)))
        back.append(total.argmin(axis=0))
        cost, points = total.min(axis=0), here
    row = int(cost.argmin())
    chosen = []
    for (guesses, sure), before in zip(reversed(found), reversed(back), strict=True):
        chosen.append((guesses.of(slice(row, row + 1)), sure[row]))
        row = int(before[row])
    chosen.reverse()
    return motion.joined([one for one, _ in chosen]), np.array([one for _, one in chosen])


def _how_sure(guesses: Guesses, at: Quadratic, fixed_focal: bool) -> Array:
    """[N, S, S]: the precision of the shape, and of the focal length unless it is fixed, whatever
    the pose.
    """
    layout = guesses.layout
    free = free_parameters("all", layout, fixed_focal)
    own, shared = free[free < layout.shape.start], free[free >= layout.shape.start]
    across = at.hessian[:, own[:, None], shared]
    moment = at.hessian[:, own[:, None], own]
    moment[:, np.arange(len(own)), np.arange(len(own))] *= 1 + 1e-6
    held = np.swapaxes(across, 1, 2) @ np.linalg.solve(moment, across)
    return np.asarray(at.hessian[:, shared[:, None], shared] - held)


def _one_shape(guesses: Guesses, sure: Array, log_focal: float, fixed_focal: bool) -> Guesses:
    """The guesses with the shape and focal length that they agree on: the mean of theirs, each by
    how sure it is. What is likely of everyone counts once.
    """
    betas, count = guesses.layout.betas, sure.shape[1]
    theirs = np.column_stack([guesses.betas, guesses.log_focal])[:, :count]
    likely = np.append(np.zeros(betas), log_focal)[:count]
    precise = np.append(np.ones(betas), 1 / FOCAL_DEVIATION**2)[:count]
    total = sure.sum(axis=0) - (len(guesses) - 1) * np.diag(precise)
    pull = (sure @ (theirs - likely)[..., None]).sum(axis=0)[:, 0]
    agreed = likely + np.linalg.solve(total, pull)
    focal = guesses.log_focal if fixed_focal else np.full(len(guesses), agreed[-1])
    return replace(guesses, betas=np.tile(agreed[:betas], (len(guesses), 1)), log_focal=focal)


def _in_windows(problems: Sequence[Problem], path: Guesses, prior: motion.MotionPrior) -> Guesses:
    """Smooth motion; shape and focal length stay."""
    settled: list[Guesses] = []
    rest, first = path, 0  # The rest starts at frame `first`, with what the next window holds.
    while True:
        count = min(_WINDOW, len(rest))
        held = _HELD if settled else 0
        moved = _smooth(problems[first : first + count], rest.of(slice(0, count)), prior, held)
        done = count if count == len(rest) else count - _OVERLAP
        settled.append(moved.of(slice(held, done)))
        if count == len(rest):
            return motion.joined(settled)
        kept = moved.of(slice(done - _HELD, count))
        rest = motion.joined([kept, rest.of(slice(count, None))])
        first += done - _HELD


def _smooth(
    problems: Sequence[Problem], path: Guesses, prior: motion.MotionPrior, held: int
) -> Guesses:
    """Levenberg-Marquardt on all frames but the first `held`."""

    def energy(path: Guesses) -> Quadratic:
        rows = [path.of(slice(row, row + 1)) for row in range(len(path))]
        return motion.stacked(
            [problem.energy(row, 0) for problem, row in zip(problems, rows, strict=True)]
        )

    size = path.layout.translation.stop
    damping = 1e-2
    at, smooth = energy(path), prior.energy(path)
    total = at.energy.sum() + smooth.energy
    for _ in range(_ROUNDS):
        steps = np.zeros_like(at.gradient)
        steps[held:, :size] = banded.step(
            at.gradient[held:, :size] + smooth.gradient[held:],
            at.hessian[held:, :size, :size],
            prior.bands(len(path), held),
            prior.precision,
            damping,
        )
        moved = path.moved(steps)
        there, smoother = energy(moved), prior.energy(moved)
        gain = total - there.energy.sum() - smoother.energy
        if gain > 0:
            path, at, smooth, total = moved, there, smoother, total - gain
            damping /= 5
            if gain < _TOLERANCE * len(path):
                break
        else:
            damping *= 8
    return path
