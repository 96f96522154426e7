# SPDX-License-Identifier: Apache-2.0
"""`python -m bench.scan.dressed SHARED BASE_MESH`: bodies beneath the garments of SHARED/people.

The people of the pictures in docs/ are scanned by cameras all around them, which see the outermost
surface only; hair and face parts are left out, and visible skin is labelled.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image

from bench.scan.__main__ import errors
from bench.scan.cases import JOINT_NOISE, NOISE, POINTS, Frame
from bitpose.body import BodyModel, PosedBody
from bitpose.body.base_mesh import BaseMesh
from bitpose.body.fit import SpacePoints
from bitpose.body.fit.scan import Scan, ScanFit, ScanFitter
from bitpose.body.make import people
from bitpose.body.wardrobe import DressedBody, Wardrobe
from bitpose.cli.console import Report, console
from bitpose.render import Drawable, PerspectiveCamera, Surface, look_at, rasterize

Array = NDArray[Any]
Picture = NDArray[np.uint8]

_CAMERAS, _HEIGHTS, _SIDE = 7, (-0.5, 0.7), 200
_NOT_SCANNED = ("hair/", "eyes/", "eyebrows/", "eyelashes/")
#: Metres off that are drawn in full colour, and how many of the people are drawn.
_RED, _DRAWN = 0.04, 4


def scanned(person: DressedBody, drawables: list[Drawable], joints: Array, seed: int) -> Scan:
    """What the cameras see, with noise."""
    vertices = np.concatenate([drawable.vertices_world for drawable in drawables])
    middle = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    points, normals, skin = [], [], []
    for height in _HEIGHTS:
        for turn in np.arange(_CAMERAS) * (2 * np.pi / _CAMERAS) + height:
            way = np.array([np.sin(turn), height, np.cos(turn)])
            eye = middle + 3.4 * way / np.linalg.norm(way)
            camera = PerspectiveCamera(
                width=_SIDE, height=_SIDE, fx=1.5 * _SIDE, fy=1.5 * _SIDE,
                T_camera_world=look_at(eye, middle, (0, 1, 0)),
            )  # fmt: skip
            maps = rasterize(drawables, camera)
            for item, part in enumerate(person.parts):
                if part.name.startswith(_NOT_SCANNED):
                    continue
                seen = maps.item == item
                corners = drawables[item].vertices_world[part.surface.faces[maps.triangle[seen]]]
                at = np.einsum("nk,nkc->nc", maps.barycentrics[seen], corners)
                facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
                facing *= np.sign(np.sum(facing * (eye - at), axis=1))[:, None]
                points.append(at)
                normals.append(facing)
                skin.append(np.full(len(at), part.skin))
    rng = np.random.default_rng(seed)
    flat = [np.concatenate(values) for values in (points, normals, skin)]
    sound = np.flatnonzero(flat[1].any(axis=1))
    chosen = rng.choice(sound, POINTS, replace=False)
    noise = rng.normal(0, NOISE, (POINTS, 3))
    given = SpacePoints(
        joints + rng.normal(0, JOINT_NOISE, joints.shape), np.ones(len(joints)), JOINT_NOISE
    )
    return Scan(flat[0][chosen] + noise, flat[1][chosen], flat[2][chosen], given)


def main(
    shared: Annotated[Path, typer.Argument(help="The folder with mocap and people.")],
    base_mesh: Annotated[Path, typer.Argument(help="base_mesh.npz of bitpose.body.make.")],
    picture: Annotated[Path | None, typer.Option(help="A JPEG of some of them.")] = None,
) -> None:
    """Prints millimetres for each person, one-sided and symmetric."""
    body, fitter = BodyModel.load(dtype=np.float64), ScanFitter()
    base, wardrobe = BaseMesh.load(base_mesh), Wardrobe.load(shared / "people")
    poses = people.poses(shared / "mocap" / "cmu_poses.npz", body)
    report = Report(
        "mean distance of vertices, millimetres",
        *("garment", "posed", "shape", "symmetric, posed", "shape"),
        text=1,
    )
    rows, table = [], []
    for number, (look, pose) in enumerate(zip(people.LOOKS, poses, strict=True)):
        person, betas = look.dressed(base, wardrobe), look.betas(body)
        drawables = person.drawables(betas, pose)
        truth = body.with_shape(betas).with_pose(pose)
        scan = scanned(person, drawables, truth.t_world_joint, number)
        symmetric = replace(scan, skin=np.ones(POINTS, bool))
        fits = [fitter.fit([given]) for given in (scan, symmetric)]
        found = [errors(fit, [Frame(truth, scan)]) for fit in fits]
        table.append([value for error in found for value in (error.posed, error.shape)])
        report.add_row(look.wear[0], *(f"{value:.1f}" for value in table[-1]))
        if number < _DRAWN:
            views = [people.seen(drawables, 30, 240, 240)]
            views += [people.seen([_coloured(fit, truth)], 30, 240, 240) for fit in fits]
            rows.append(np.concatenate(views, axis=1))
    report.add_row("mean", *(f"{value:.1f}" for value in np.mean(table, axis=0)))
    console.print(report)
    if picture is not None:
        pairs = [np.concatenate(rows[i : i + 2], axis=1) for i in range(0, _DRAWN, 2)]
        Image.fromarray(np.concatenate(pairs)).save(picture, quality=84, optimize=True)


def _coloured(fit: ScanFit, truth: PosedBody) -> Drawable:
    """The fitted body, red where it is too large, blue where it is too small."""
    vertices, faces = fit.posed().vertices()[0], truth.shaped.model.faces
    true = Drawable(Surface(len(vertices), faces), truth.vertices())
    off = np.sum((vertices - true.vertices_world) * true.normals_world, axis=1)
    share = np.clip(off / _RED, -1, 1)[:, None]
    grey, red, blue = (np.array(c, np.float64) for c in ((196,) * 3, (200, 40, 30), (40, 70, 200)))
    colours = grey + np.maximum(share, 0) * (red - grey) + np.maximum(-share, 0) * (blue - grey)
    return Drawable(true.surface, vertices, colours=colours.astype(np.uint8), back_faces=False)


if __name__ == "__main__":
    typer.run(main)
