# SPDX-License-Identifier: Apache-2.0
"""`python -m bench.fit.photos COCO FOLDER`: fits the annotated people of a folder with photos of
COCO and `keypoints.json`, those of a photo together; prints how far keypoints are off and how far
bodies lean, and draws `fitting-coco.jpg`.

The picture has no pixel of the photos: for each person the keypoints, the body as the camera sees
it, and the body from the side, where up is that of the photo's people.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image

from bitpose.body import SMPL_JOINTS
from bitpose.body.fit import Fit, Fitter, SceneFit, View, fit_scene
from bitpose.body.rotations import axis_angle_to_matrix
from bitpose.cli.console import Report, console
from bitpose.pose.decode import Keypoints
from bitpose.pose.draw import draw_keypoints
from bitpose.pose.skeleton import COCO_17
from bitpose.render import Drawable, PerspectiveCamera, Surface, render
from bitpose.render.overlay import side_view

Array = NDArray[Any]

#: Fewer keypoints than this are not fitted.
_FEWEST = 4
_TILE, _COLUMNS = 200, 3
_WHITE = (255, 255, 255)


@dataclass(frozen=True, eq=False)
class Person:
    """An annotation."""

    number: int
    photo: int
    view: View
    side: float
    """Pixels: the longer one of the box."""


def people(folder: Path) -> Iterator[Person]:
    """Those with keypoints, in the file's order."""
    data = json.loads((folder / "keypoints.json").read_text())
    images = {image["id"]: image for image in data["images"]}
    for annotation in data["annotations"]:
        keypoints = np.array(annotation["keypoints"], float).reshape(-1, 3)
        seen = keypoints[:, 2] > 0
        if np.count_nonzero(seen) < _FEWEST:
            continue
        image = images[annotation["image_id"]]
        center = (image["width"] / 2, image["height"] / 2)
        side = max(annotation["bbox"][2:])
        view = View(keypoints[:, :2], seen.astype(float), center)
        yield Person(int(annotation["id"]), int(image["id"]), view, float(side))


def distance(fit: Fit, focal: float | None, person: Person, fitter: Fitter) -> float:
    """Of keypoints in the picture, on average, as a share of the box's longer side."""
    keypoints = fitter.model.keypoints["COCO-17"].positions(fit.posed().vertices())
    pixels = person.view.project(keypoints[None], np.array([focal]))[0]
    seen = np.asarray(person.view.confidence) > 0
    away = np.linalg.norm(pixels - np.asarray(person.view.keypoints), axis=1)
    return float(away[seen].mean()) / person.side


def main(
    photos: Annotated[Path, typer.Argument(help="../shared/images/coco.")],
    folder: Annotated[Path, typer.Argument(help="Where the picture goes.")],
) -> None:
    """Fits, prints and draws."""
    fitter = Fitter()
    report = Report(
        "people of COCO, degrees from up of the line from ankles to neck",
        *("person", "keypoints off, % of the box", "alone", "together"),
        text=1,
    )
    tiles = []
    for photo, group in groupby(people(photos), lambda person: person.photo):
        found = list(group)
        scene = fit_scene(fitter, [person.view for person in found])
        up = np.round(scene.up, 2).tolist()
        console.print(f"photo {photo}: focal length {scene.focal:.0f}, up {up}")
        for person, fit in zip(found, scene.people, strict=True):
            alone = fitter.fit([person.view])
            columns = [
                100 * distance(fit, scene.focal, person, fitter),
                lean(alone, np.array([0, -1, 0])),
                lean(fit, scene.up),
            ]
            report.add_row(str(person.number), *(f"{value:.1f}" for value in columns))
            tiles.append(_tile(person, fit, scene, fitter))
    console.print(report)
    blank = np.full_like(tiles[0], 255)
    tiles += [blank] * (-len(tiles) % _COLUMNS)
    rows = [np.concatenate(tiles[i : i + _COLUMNS], 1) for i in range(0, len(tiles), _COLUMNS)]
    Image.fromarray(np.concatenate(rows)).save(folder / "fitting-coco.jpg", quality=86)


def lean(fit: Fit, up: Array) -> float:
    """Degrees."""
    joints = fit.posed().t_world_joint
    ankles = joints[[SMPL_JOINTS.index(f"{side}_ankle") for side in ("left", "right")]]
    line = joints[SMPL_JOINTS.index("neck")] - ankles.mean(axis=0)
    return float(np.rad2deg(np.arccos(line @ up / np.linalg.norm(line))))


def _tile(person: Person, fit: Fit, scene: SceneFit, fitter: Fitter) -> Array:
    vertices = fit.posed().vertices()
    pixels = person.view.project(vertices[None], np.array([scene.focal]))[0]
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    scale = _TILE / (1.1 * (high - low).max())
    middle = (low + high) / 2
    center = (np.asarray(person.view.center) - middle) * scale + _TILE / 2
    focal = scene.focal * scale
    camera = PerspectiveCamera(
        width=_TILE, height=_TILE, fx=focal, fy=focal, cx=float(center[0]), cy=float(center[1])
    )
    seen = (np.asarray(person.view.keypoints) - middle) * scale + _TILE / 2
    marks = Keypoints(
        COCO_17, seen.astype(np.float32), np.asarray(person.view.confidence, np.float32)
    )
    blank = Image.new("RGB", (_TILE, _TILE), _WHITE)
    body = Drawable(Surface(len(vertices), fitter.model.faces), vertices, back_faces=False)
    level = replace(body, vertices_world=_level(vertices, scene.up))
    pictures = [
        np.asarray(draw_keypoints(blank, [marks], 0.5)),
        render([body], camera, background=_WHITE).rgb,
        side_view([level], _straight(camera, vertices)),
    ]
    return np.concatenate(pictures, axis=1)


def _level(vertices: Array, up: Array) -> Array:
    """Turned about their middle so that up is upwards in the picture."""
    axis = np.cross(up, (0, -1, 0))
    angle = np.arctan2(np.linalg.norm(axis), -up[1])
    turn = axis_angle_to_matrix(axis / max(float(np.linalg.norm(axis)), 1e-9) * angle)
    middle = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    return np.asarray((vertices - middle) @ turn.T + middle)


def _straight(camera: PerspectiveCamera, vertices: Array) -> PerspectiveCamera:
    """A camera of the same size that looks at the middle of the vertices, level."""
    middle = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    transform = np.eye(4)
    transform[:3, 3] = np.array([0, 0, middle[2]]) - middle
    return PerspectiveCamera(
        width=camera.width, height=camera.height, fx=camera.fx, fy=camera.fy,
        T_camera_world=transform,
    )  # fmt: skip


if __name__ == "__main__":
    typer.run(main)
