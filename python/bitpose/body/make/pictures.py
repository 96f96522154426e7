# SPDX-License-Identifier: Apache-2.0
"""`python -m bitpose.body.make.pictures FOLDER`: the pictures of the charts in docs/."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw

from bitpose.body import SMPL_JOINTS, BodyModel, default_surface
from bitpose.body.charts import PART_NAMES, TEXTURE_GRID, Charts
from bitpose.render import Camera, Drawable, PerspectiveCamera, Texture, look_at, rasterize, render
from bitpose.render.overlay import PART_COLOURS, draw_iuv

Array = NDArray[Any]
Picture = NDArray[np.uint8]

_CHART = 512
_SQUARE = {"head": 0.015, "hand": 0.015, "foot": 0.015}
_LARGE_SQUARE = 0.03
_WHITE = (255, 255, 255)


def main(folder: Annotated[Path, typer.Argument(help="Where the pictures go.")]) -> None:
    """Draws the charts on the body, by themselves, as a checkerboard and as IUV."""
    body, charts = BodyModel.load(), default_surface.load().charts
    rest = body.v_template.astype(np.float64)
    _save(folder / "charts.jpg", [_views(charts, rest, _plain()), _layout(charts, 120)])
    _save(folder / "charts-checkerboard.jpg", [_views(charts, rest, _checkerboard(charts, rest))])
    _save(folder / "charts-iuv.jpg", [_iuv(charts, _posed(body))])


def _save(path: Path, rows: list[Picture]) -> None:
    Image.fromarray(np.concatenate(rows)).save(path, quality=86, optimize=True)


def _camera(eye: ArrayLike, at: ArrayLike, shown: float, size: int, up: ArrayLike) -> Camera:
    """Sees `shown` metres around `at` from top to bottom."""
    focal = size * float(np.linalg.norm(np.subtract(eye, at))) / shown
    return PerspectiveCamera(
        width=size, height=size, T_camera_world=look_at(eye, at, up), fx=focal, fy=focal
    )


def _views(charts: Charts, vertices: Array, texture: Picture) -> Picture:
    """The body from the front and behind; a face, both sides of a hand, a foot."""
    drawable = Drawable(charts.surface(), vertices, texture=Texture(texture))

    def seen(at: Array, way: ArrayLike, shown: float, size: int, up: ArrayLike) -> Picture:
        camera = _camera(at + way, at, shown, size, up)
        return render([drawable], camera, background=_WHITE).rgb

    trunk, y, x = np.array([0, -0.05, 0.03]), (0, 1, 0), (1, 0, 0)
    face, hand, foot = (np.array(at) for at in ((0, 0.62, 0.04), (0.73, 0.44, 0), (0.13, -0.83, 0)))
    whole = [seen(trunk, (0, 0.2, z), 1.75, 480, y) for z in (6, -6)]
    parts = [
        seen(face, (0.6, 0.1, 0.9), 0.4, 240, y),
        seen(hand, (0.1, 1, 0.05), 0.27, 240, x),
        seen(hand, (0.1, -1, 0.05), 0.27, 240, x),
        seen(foot, (0.9, 0.5, 0.5), 0.4, 240, y),
    ]
    return np.concatenate([np.concatenate(whole, axis=1), np.concatenate(parts, axis=1)])


def _plain() -> Picture:
    return _texture([np.broadcast_to(PART_COLOURS[part], (_CHART, _CHART, 3))
                     for part in range(1, 25)])  # fmt: skip


def _checkerboard(charts: Charts, vertices: Array) -> Picture:
    """Squares of the same size on the body in all charts, smaller on head, hands and feet."""
    corners = vertices[charts.faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(normal, axis=1) / 2
    flat = np.abs(np.linalg.det(charts.uv[:, 1:] - charts.uv[:, :1])) / 2
    tiles = []
    for part, name in enumerate(PART_NAMES, start=1):
        mine = charts.parts == part
        side = np.sqrt(area[mine].sum() / flat[mine].sum())
        square = next((s for word, s in _SQUARE.items() if word in name), _LARGE_SQUARE)
        row = np.floor((np.arange(_CHART) + 0.5) / _CHART * side / square)
        dark = ((row[:, None] + row) % 2 == 1)[..., None]
        light = 255 - (255 - PART_COLOURS[part].astype(np.float64)) * 0.25
        tiles.append(np.where(dark, PART_COLOURS[part], light)[::-1].astype(np.uint8))
    return _texture(tiles)


def _texture(tiles: list[Picture]) -> Picture:
    columns, rows = TEXTURE_GRID
    return np.concatenate(
        [np.concatenate(tiles[r * columns : (r + 1) * columns], axis=1) for r in range(rows)]
    )


def _layout(charts: Charts, size: int) -> Picture:
    """The triangles of all charts in (U, V), v upwards."""
    columns, rows = 8, 3
    sheet = Image.new("RGB", (columns * size, rows * size), _WHITE)
    draw = ImageDraw.Draw(sheet)
    for triangle, part in zip(charts.uv, charts.parts.tolist(), strict=True):
        column, row = (part - 1) % columns, (part - 1) // columns
        x = (column + 0.04 + 0.92 * triangle[:, 0]) * size
        y = (row + 0.96 - 0.92 * triangle[:, 1]) * size
        points = [(float(a), float(b)) for a, b in zip(x, y, strict=True)]
        dark = tuple(int(c) for c in PART_COLOURS[part] * 0.6)
        draw.polygon(points, fill=tuple(map(int, PART_COLOURS[part])), outline=dark)
    return np.asarray(sheet)


def _posed(body: BodyModel) -> Array:
    pose = np.zeros((24, 3))
    for name, turn in {
        "left_hip": (-0.6, 0, 0.1),
        "right_hip": (0.3, 0, -0.1),
        "left_knee": (0.7, 0, 0),
        "left_shoulder": (0, 0, -0.9),
        "right_shoulder": (0, -0.3, 0.7),
        "left_elbow": (0, -1.2, 0),
        "right_elbow": (0, 0.8, 0),
    }.items():
        pose[SMPL_JOINTS.index(name)] = turn
    shaped = body.with_shape(np.zeros(1))
    return np.asarray(shaped.with_axis_angle(pose.ravel()).vertices(), np.float64)


def _iuv(charts: Charts, vertices: Array) -> Picture:
    """As `draw_iuv` shows it, from the front and behind."""
    drawable = Drawable(charts.surface(), vertices)
    views = []
    for way in ((1.5, 0.4, 5), (-2.5, 0.6, -4.5)):
        at = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
        maps = rasterize([drawable], _camera(at + way, at, 1.9, 480, (0, 1, 0)))
        views.append(draw_iuv(np.full((480, 480, 3), 255, np.uint8), maps.iuv, 1.0))
    return np.concatenate(views, axis=1)


if __name__ == "__main__":
    typer.run(main)
