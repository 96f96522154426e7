# SPDX-License-Identifier: Apache-2.0
"""`python -m bench.scan CMU_POSES`: fits bodies beneath clothes, and prints how far off they are.

Mean distances of vertices, not aligned, in the pose of the scan and in the rest pose (which is the
shape alone). CPU seconds of one thread where the environment says so (OPENBLAS_NUM_THREADS=1).
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

from bench.scan.cases import Frame, person
from bitpose.body.fit.make import clips
from bitpose.body.fit.scan import Scan, ScanFit, ScanFitter
from bitpose.cli.console import Report, console
from bitpose.cli.machine import describe

Array = NDArray[Any]
Change = Callable[[Scan], Scan]


def _all_skin(scan: Scan) -> Scan:
    return replace(scan, skin=np.ones(len(np.asarray(scan.points)), bool))


#: Ways to fit one frame, by their names in the table: what is told, and whether skin is bare.
WAYS: dict[str, tuple[Change, bool]] = {
    "one-sided": (lambda scan: scan, True),
    "symmetric": (_all_skin, True),
    "without normals": (lambda scan: replace(scan, normals=None), True),
    "without labels of skin": (lambda scan: replace(scan, skin=None), True),
    "head, hands and feet covered too": (lambda scan: scan, False),
    "the same, symmetric": (_all_skin, False),
}


@dataclass(frozen=True)
class Errors:
    """Millimetres."""

    posed: float
    shape: float


def errors(fit: ScanFit, frames: list[Frame]) -> Errors:
    """Means over vertices, and over frames."""
    truth = np.array([frame.body.vertices() for frame in frames])
    posed = np.linalg.norm(fit.posed().vertices() - truth, axis=-1).mean()
    rest = fit.shaped.v_shaped - frames[0].body.shaped.v_shaped
    return Errors(1e3 * float(posed), 1e3 * float(np.linalg.norm(rest, axis=-1).mean()))


def main(
    poses: Annotated[Path, typer.Argument(help="cmu_poses.npz of ../shared/mocap.")],
    count: Annotated[int, typer.Option(help="People scanned once.")] = 20,
    sequences: Annotated[int, typer.Option(help="People scanned ten times.")] = 5,
    seed: Annotated[int, typer.Option(help="Of poses, shapes, cloth and noise.")] = 7,
) -> None:
    """Prints a row for each way to fit one frame, and what ten frames gain."""
    people = clips.load(poses)
    fitter = ScanFitter()
    console.print(describe(1, None))
    report = Report(
        "mean distance of vertices: millimetres, CPU seconds",
        *("", "people", "posed", "median", "worst", "shape", "seconds"),
        text=1,
    )

    def add(name: str, results: list[Errors], seconds: float) -> None:
        posed = np.array([result.posed for result in results])
        columns = [posed.mean(), np.median(posed), posed.max()]
        columns += [np.mean([result.shape for result in results]), seconds / len(results)]
        report.add_row(name, f"{len(results)}", *(f"{value:.2f}" for value in columns))

    single = people.sample(held_out=True, count=count, seed=seed)
    for name, (change, bare) in WAYS.items():
        results, start = [], time.process_time()
        for number, pose in enumerate(single):
            frames = person(pose[None], (seed, number), bare)
            results.append(errors(fitter.fit([change(frames[0].scan)]), frames))
        add(name, results, time.process_time() - start)
    several = people.sample(held_out=True, count=10 * sequences, seed=seed + 1)
    alone, fused, seconds = [], [], [0.0, 0.0]
    for number, moves in enumerate(several.reshape(sequences, 10, 24, 3)):
        frames = person(moves, (seed, count + number))
        start = time.process_time()
        each = [errors(fitter.fit([frame.scan]), [frame]) for frame in frames]
        alone += each
        seconds[0] += time.process_time() - start
        start = time.process_time()
        fused.append(errors(fitter.fit([frame.scan for frame in frames]), frames))
        seconds[1] += time.process_time() - start
    add("each of ten frames alone", alone, seconds[0])
    add("ten frames together", fused, seconds[1])
    console.print(report)


if __name__ == "__main__":
    typer.run(main)
