# SPDX-License-Identifier: Apache-2.0
"""`python -m bench.fit CMU_POSES`: fits seeded people in held-out poses, and prints how far off.

One view and both focal lengths: PA-MPJPE of COCO-17; two views: mean distance of COCO-17; joints in
space: mean distance of the 24 joints; neither of the latter is aligned. CPU seconds of one thread
where the environment says so (OPENBLAS_NUM_THREADS=1).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from bench.fit import crossed, motions
from bench.fit.penetration import ClosedParts
from bitpose.body.fit import Fit, Fitter, SpacePoints, View
from bitpose.body.fit.make import cases, clips
from bitpose.body.fit.make.calibrate import NINETY_PERCENT, squared_distances
from bitpose.cli.console import Report, console
from bitpose.cli.machine import describe
from bitpose.metrics.points import joint_errors, pa_mpjpe

Array = NDArray[Any]
Run = Callable[[cases.Case, np.random.Generator], Fit]

_NOISE = 2.0
_DENSE = 100
_CROSSED = 40


def runs() -> dict[str, Run]:
    """The ways to fit, by their names in the table."""
    fitter, without = Fitter(), Fitter(use_prior=False)
    return {
        "joints in space": lambda case, _: fitter.fit(
            space=SpacePoints(case.joints, np.ones(len(case.joints))), up=None
        ),
        "two views, no noise": lambda case, rng: fitter.fit(
            [case.view(0, rng, second=second) for second in (False, True)]
        ),
        "one view": lambda case, rng: fitter.fit([case.view(_NOISE, rng)]),
        "one view, focal length unknown": lambda case, rng: fitter.fit(
            [case.view(_NOISE, rng, known_focal=False)]
        ),
        "one view, 100 IUV points": lambda case, rng: fitter.fit([dense_view(case, rng)]),
        "the same, 10 % of them wrong": lambda case, rng: fitter.fit([dense_view(case, rng, 0.1)]),
        "one view, without prior": lambda case, rng: without.fit([case.view(_NOISE, rng)]),
    }


def dense_view(case: cases.Case, rng: np.random.Generator, wrong: float = 0) -> View:
    """One view with points of the surface."""
    view = case.view(_NOISE, rng)
    return replace(view, dense=case.dense(_NOISE, rng, _DENSE, wrong))


def error(name: str, fit: Fit, case: cases.Case, fitter: Fitter) -> float:
    """Millimetres."""
    posed = fit.posed()
    if name == "joints in space":
        return float(joint_errors(posed.t_world_joint, case.joints).mean())
    keypoints = fitter.model.keypoints["COCO-17"].positions(posed.vertices())
    if name == "two views, no noise":
        return float(joint_errors(keypoints, case.keypoints).mean())
    return pa_mpjpe(keypoints, case.keypoints)


@dataclass(frozen=True, eq=False)
class Figures:
    """Of N people."""

    errors: Array
    """[N] millimetres."""
    seconds: Array
    """[N] of CPU time."""
    within: float
    """How many of the joints lie in their 90 % ellipsoids."""


def measure(name: str, run: Run, people: list[cases.Case], seed: int) -> Figures:
    """Fits everyone. The noise is the same for every way to fit."""
    fitter = Fitter()
    errors, seconds, within = [], [], []
    for number, case in enumerate(people):
        rng = np.random.default_rng((seed, number))
        start = time.process_time()
        fit = run(case, rng)
        seconds.append(time.process_time() - start)
        errors.append(error(name, fit, case, fitter))
        within.append(np.mean(squared_distances(fit, case.joints) < NINETY_PERCENT))
    return Figures(np.array(errors), np.array(seconds), float(np.mean(within)))


def main(
    poses: Annotated[Path, typer.Argument(help="cmu_poses.npz of ../shared/mocap.")],
    count: Annotated[int, typer.Option(help="People of each kind.")] = 200,
    seed: Annotated[int, typer.Option(help="Of poses, shapes, cameras and noise.")] = 7,
    only: Annotated[str, typer.Option(help="Ways to fit whose names have this.")] = "",
) -> None:
    """Prints errors in millimetres, CPU seconds, and how often a 90 % ellipsoid held the joint."""
    people = cases.make(clips.load(poses), held_out=True, count=count, seed=seed)
    console.print(describe(1, None))
    report = Report(
        f"{count} held-out people: millimetres, CPU seconds, joints within their 90 % ellipsoid",
        *("", "median", "mean", "p90", "worst", "seconds", "within, %"),
        text=1,
    )
    for name, run in runs().items():
        if only not in name:
            continue
        figures = measure(name, run, people, seed)
        columns = [np.quantile(figures.errors, 0.5), figures.errors.mean()]
        columns += [np.quantile(figures.errors, q) for q in (0.9, 1)]
        report.add_row(
            name,
            *(f"{value:.2f}" for value in columns),
            f"{np.median(figures.seconds):.3f}",
            f"{100 * figures.within:.0f}",
        )
    console.print(report)
    if not only:
        captured = clips.load(poses)
        console.print(crossed_limbs(captured, seed))
        console.print(in_motion(captured, seed))


def crossed_limbs(captured: clips.Clips, seed: int) -> Report:
    """One view of people with crossed limbs, with and without capsules."""
    fitter = Fitter()
    people, parts = crossed.people(captured, _CROSSED, seed), ClosedParts.of_body(fitter.model)
    report = Report(
        f"{_CROSSED} people with crossed limbs, one view",
        *("", "vertices in other parts", "keypoints, pixels", "median, mm", "seconds"),
        text=1,
    )
    for name, solid in (("without capsules", False), ("with capsules", True)):
        inside, away, errors, seconds = [], [], [], []
        for number, case in enumerate(people):
            view = case.view(_NOISE, np.random.default_rng((seed, number)))
            start = time.process_time()
            fit = fitter.fit([view], solid=solid)
            seconds.append(time.process_time() - start)
            vertices = fit.posed().vertices()
            keypoints = fitter.model.keypoints["COCO-17"].positions(vertices)
            pixels = view.project(keypoints[None], np.array([case.focal]))[0]
            inside.append(np.count_nonzero(parts.inside(vertices)))
            away.append(np.linalg.norm(pixels - np.asarray(view.keypoints), axis=1).mean())
            errors.append(pa_mpjpe(keypoints, case.keypoints))
        report.add_row(
            name,
            str(sum(inside)),
            f"{np.mean(away):.2f}",
            f"{np.median(errors):.2f}",
            f"{np.median(seconds):.3f}",
        )
    return report


def in_motion(captured: clips.Clips, seed: int) -> Report:
    """One view of motions, frame by frame and together."""
    fitter = Fitter()
    report = Report(
        "three seconds of a held-out clip of each category, one view",
        *("", "PA-MPJPE, mm", "acceleration error, m/s^2", "seconds a frame"),
        text=1,
    )
    for between in (0, 2):
        moving = motions.motions(captured, fitter, between, _NOISE, seed)
        for name, together in (("frame by frame", False), ("together", True)):
            figures = [motions.measure(fitter, motion, together) for motion in moving]
            report.add_row(
                f"{moving[0].rate} frames a second, {name} ({len(moving)} clips)",
                f"{np.mean([each.error for each in figures]):.2f}",
                f"{np.mean([each.acceleration for each in figures]):.2f}",
                f"{np.mean([each.seconds for each in figures]):.3f}",
            )
    return report


if __name__ == "__main__":
    typer.run(main)
