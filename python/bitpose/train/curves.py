# SPDX-License-Identifier: Apache-2.0
"""Loss curves as a picture."""

from __future__ import annotations

import csv
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Array = NDArray[np.float64]

_WIDTH, _HEIGHT, _MARGIN = 320, 200, 28
_INK, _LINE = (40, 40, 40), (29, 120, 200)


def draw_curves(table: str | PathLike[str], picture: str | PathLike[str]) -> None:
    """One panel for each column of a CSV file behind the first, which says where on the x axis; the
    y axis is logarithmic."""
    with Path(table).open(newline="") as file:
        names, *rows = list(csv.reader(file))
    values = np.array(rows, np.float64).reshape(-1, len(names))
    panels = [_panel(name, values[:, 0], values[:, i]) for i, name in enumerate(names) if i > 0]
    extents = _WIDTH * min(4, len(panels)), _HEIGHT * -(-len(panels) // 4)
    sheet = Image.new("RGB", extents, "white")
    for i, panel in enumerate(panels):
        sheet.paste(panel, (i % 4 * _WIDTH, i // 4 * _HEIGHT))
    sheet.save(picture)


def _panel(name: str, x: Array, y: Array) -> Image.Image:
    panel = Image.new("RGB", (_WIDTH, _HEIGHT), "white")
    draw = ImageDraw.Draw(panel)
    logs = np.log10(np.maximum(y, 1e-9))
    low, high = float(logs.min()), float(logs.max())
    across = (x - x.min()) / max(float(np.ptp(x)), 1.0) * (_WIDTH - 2 * _MARGIN) + _MARGIN
    up = (logs - low) / max(high - low, 1e-6) * (_HEIGHT - 2 * _MARGIN) + _MARGIN
    points = list(zip(across.tolist(), (_HEIGHT - up).tolist(), strict=True))
    draw.rectangle((_MARGIN, _MARGIN, _WIDTH - _MARGIN, _HEIGHT - _MARGIN), outline=(210, 210, 210))
    draw.line(points, fill=_LINE, width=2)
    draw.text((_MARGIN, 8), f"{name}: {y[-1]:.4g} at {int(x[-1])}", fill=_INK)
    draw.text((4, _MARGIN), f"{10**high:.3g}", fill=_INK)
    draw.text((4, _HEIGHT - _MARGIN - 10), f"{10**low:.3g}", fill=_INK)
    return panel
