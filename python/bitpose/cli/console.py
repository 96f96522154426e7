# SPDX-License-Identifier: Apache-2.0
"""What all commands print with."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

#: Columns of what is not read on a terminal.
_FILE_WIDTH = 160

console = Console(highlight=False, width=None if sys.stdout.isatty() else _FILE_WIDTH)
errors = Console(stderr=True, highlight=False)

ModelPath = Annotated[
    Path, typer.Argument(help="A .onnx or .bpm file.", exists=True, dir_okay=False)
]
NetworkName = Annotated[
    str | None,
    typer.Option(
        "--network", help="Of a .bpm file that has several: its name. Default: the first."
    ),
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


class Report:
    """A table under a heading."""

    def __init__(self, title: str, *columns: str, text: int = 1, wrapped: int = 0) -> None:
        """The first `text` columns are text, the others figures; column `wrapped` gives way."""
        self._title = title
        self._table = Table(header_style="bold", box=SIMPLE_HEAD, pad_edge=False)
        for index, column in enumerate(columns):
            self._table.add_column(
                column,
                justify="left" if index < text else "right",
                overflow="ellipsis",
                no_wrap=index != wrapped,
            )

    def add_row(self, *cells: str, style: str | None = None) -> None:
        self._table.add_row(*(Text(cell) for cell in cells), style=style)

    def __rich_console__(self, _: Console, __: ConsoleOptions) -> RenderResult:
        yield Text(self._title, "bold")
        yield self._table


def networks_of(models: Sequence[Path], name: str | None) -> list[str | None]:
    """The network to take from each file: ONNX beside .bpm files leaves no choice."""
    from bitpose.session import is_compiled

    compiled = [is_compiled(model) for model in models]
    return [name if chooses or not any(compiled) else None for chooses in compiled]


def digest(arrays: Sequence[NDArray[Any]]) -> str:
    """16 hexadecimal digits of the SHA-256 of the arrays' bytes, one after the other."""
    state = hashlib.sha256()
    for array in arrays:
        state.update(np.ascontiguousarray(array).tobytes())
    return state.hexdigest()[:16]
