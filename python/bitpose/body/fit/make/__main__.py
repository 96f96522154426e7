# SPDX-License-Identifier: Apache-2.0
"""`python -m bitpose.body.fit.make CMU_POSES FOLDER`: writes `pose_prior.npz`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bitpose.body.fit.make import calibrate, clips, prior
from bitpose.body.fit.prior import PosePrior
from bitpose.body.make.__main__ import write


def main(
    poses: Annotated[Path, typer.Argument(help="cmu_poses.npz of ../shared/mocap.")],
    folder: Annotated[Path, typer.Argument(help="Where the file goes.")],
) -> None:
    """Derives the pose prior from motion capture."""
    captured = clips.load(poses)
    arrays = prior.arrays(captured)
    spread = calibrate.spread(captured, PosePrior.from_file(arrays))
    write(folder / "pose_prior.npz", arrays | prior.spread_code(spread))


if __name__ == "__main__":
    typer.run(main)
