# SPDX-License-Identifier: Apache-2.0
"""What all commands print with."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)

ModelPath = Annotated[
    Path, typer.Argument(help="A .onnx or .bpm file.", exists=True, dir_okay=False)
]
Threads = Annotated[int, typer.Option(help="Threads of one run.", min=1, max=256)]
Isa = Annotated[
    str | None, typer.Option(help="Best kernels to use: scalar, avx2, neon, ... Default: all.")
]


def size(count: float) -> str:
    """Bytes with a unit: "1.4 MB" (powers of 1000)."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.2f} GB"


def table(title: str, *columns: str, text: int = 1) -> Table:
    """A table whose first `text` columns are text and whose others are figures.

    The first column is cut where there is no room.
    """
    result = Table(
        title=title, title_justify="left", title_style="bold", header_style="bold", box=SIMPLE_HEAD
    )
    for index, column in enumerate(columns):
        result.add_column(
            column,
            justify="left" if index < text else "right",
            overflow="ellipsis" if index == 0 else "fold",
            no_wrap=True,
        )
    return result


def digest(arrays: Sequence[NDArray[Any]]) -> str:
    """16 hexadecimal digits of the SHA-256 of the arrays' bytes, one after the other."""
    state = hashlib.sha256()
    for array in arrays:
        state.update(np.ascontiguousarray(array).tobytes())
    return state.hexdigest()[:16]
