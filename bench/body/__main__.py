# SPDX-License-Identifier: Apache-2.0
"""`python -m bench.body`: a body's forward pass beside the `smplx` package, on one thread.

Both compute joints and vertices of one person from betas, axis-angle pose and translation, of the
same file: random numbers in SMPL's exact layout (6890 vertices, 24 joints, 10 betas, dense pose
directions). `smplx` runs without gradients, which is its fastest way.
"""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from bitpose.body import BodyModel
from bitpose.cli.console import Report, console
from bitpose.cli.machine import describe
from bitpose.cli.timing import Spread, interleaved
from tests.python.body.bodies import as_file, random_arrays

Array = NDArray[Any]
Call = Callable[[], tuple[Array, Array]]


def smpl_file(path: Path) -> None:
    """A random body in SMPL's layout, with pose directions everywhere."""
    arrays = random_arrays(0, vertices=6890)
    dense = np.random.default_rng(1).normal(0, 0.003, arrays.posedirs.shape)
    path.write_bytes(pickle.dumps(as_file(replace(arrays, posedirs=dense)), 2))


def ours(model: BodyModel, betas: Array, pose: Array, translation: Array) -> Call:
    def call() -> tuple[Array, Array]:
        posed = model.with_shape(betas).with_axis_angle(pose, translation)
        return posed.t_world_joint, posed.vertices()

    return call


def theirs(path: Path, betas: Array, pose: Array, translation: Array) -> Call:
    import smplx
    import torch

    torch.set_num_threads(1)
    model = smplx.SMPL(str(path), num_betas=10)
    given = [torch.tensor(x) for x in (betas, pose[:, 3:], pose[:, :3], translation)]

    def call() -> tuple[Array, Array]:
        with torch.no_grad():
            output = model(*given)
        return output.joints.numpy()[:, :24], output.vertices.numpy()

    return call


def main(
    batch: Annotated[int, typer.Option(help="Persons in a call.")] = 1,
    runs: Annotated[int, typer.Option(help="Calls of each.")] = 200,
) -> None:
    """Prints milliseconds of both, in turn in one process, and how far their results differ."""
    rng = np.random.default_rng(2)
    betas, pose, translation = (
        rng.normal(0, scale, (batch, size)).astype(np.float32)
        for scale, size in ((1, 10), (0.5, 72), (1, 3))
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "SMPL_NEUTRAL.pkl"
        smpl_file(path)
        default = BodyModel.load()
        calls = {
            "bitpose": ours(BodyModel.load(path), betas, pose, translation),
            "smplx": theirs(path, betas, pose, translation),
            "bitpose, its default body": ours(default, betas, pose, translation),
        }
    results = {name: call() for name, call in calls.items()}
    times = interleaved(list(calls.values()), runs, 10)
    console.print(describe(1, None))
    report = Report(
        f"forward pass, {batch} at once, one thread: milliseconds",
        *("", "median", "p10", "p90", "of smplx", "largest difference, m"),
        text=1,
    )
    spreads = {name: Spread.of(t) for name, t in zip(calls, times, strict=True)}
    for name, spread in spreads.items():
        same = results[name][1].shape == results["smplx"][1].shape
        difference = max(
            float(np.abs(a - b).max()) if same else float("nan")
            for a, b in zip(results[name], results["smplx"], strict=True)
        )
        report.add_row(
            name,
            *(f"{value:.3f}" for value in spread.milliseconds),
            f"{spread.median / spreads['smplx'].median:.2f}",
            f"{difference:.1e}" if same else "-",
        )
    console.print(report)


if __name__ == "__main__":
    typer.run(main)
