# SPDX-License-Identifier: Apache-2.0
"""`python -m bitpose.body.make.people DOCS SHARED BASE_MESH`: the pictures of people in docs/.

The default body at rest, its shape axes, and poses of motion capture from four sides, bare as a
grey mannequin and dressed. SHARED has `mocap` and `people`; BASE_MESH is `base_mesh.npz` of
`python -m bitpose.body.make`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw

from bitpose.body import SMPL_JOINTS, BodyModel, ShapeAxes
from bitpose.body.base_mesh import BaseMesh
from bitpose.body.retarget import retarget
from bitpose.body.rotations import axis_angle_to_matrix
from bitpose.body.wardrobe import DressedBody, Wardrobe
from bitpose.render import Drawable, PerspectiveCamera, Surface, look_at, render

Array = NDArray[Any]
Picture = NDArray[np.uint8]

_WHITE = (255, 255, 255)
_DISTANCE = 5.0
#: The cameras' height above the middle, by their distance.
_TILT = 0.2
#: Of a category's frames, from the most relaxed to the most extreme.
_QUANTILE = 0.985
_FACE = ("eyes/high-poly", "eyebrows/eyebrow001", "eyelashes/eyelashes01")


@dataclass(frozen=True)
class Look:
    """Somebody in one of the pictures."""

    category: str
    """Of the pose."""
    values: Mapping[str, float]
    """Of shape axes."""
    skin: str
    wear: tuple[str, ...]

    def betas(self, body: BodyModel) -> Array:
        assert body.axes is not None
        return body.axes.betas(**self.values)

    def dressed(self, base: BaseMesh, wardrobe: Wardrobe) -> DressedBody:
        return wardrobe.dress(base, self.skin, [*self.wear, *_FACE])


LOOKS = (
    Look(
        "acrobatics",
        {"sex": 1, "muscle": 1},
        "young_lightskinned_male",
        ("clothes/male_casualsuit04", "clothes/shoes02", "hair/short02"),
    ),
    Look(
        "climb",
        {"sex": -1.5},
        "young_darkskinned_female",
        ("clothes/female_casualsuit01", "clothes/shoes05", "hair/braid01"),
    ),
    Look(
        "hand_signals",
        {"sex": -1, "age": 0.7},
        "middleage_lightskinned_female2",
        ("clothes/female_elegantsuit01", "clothes/shoes03", "hair/bob01"),
    ),
    Look(
        "indian_dance",
        {"sex": 1, "weight": 1.5, "age": 1.5},
        "old_lightskinned_male2",
        ("clothes/male_elegantsuit01", "clothes/shoes06", "clothes/fedora"),
    ),
    Look(
        "jump",
        {"childhood": 2},
        "young_lightskinned_male2",
        ("clothes/male_worksuit01", "clothes/shoes04", "hair/short03"),
    ),
    Look(
        "martial_arts",
        {"sex": 1.3, "muscle": 1.5, "height": 1},
        "middleage_darkskinned_male",
        ("clothes/male_casualsuit02", "clothes/shoes01", "hair/afro01"),
    ),
    Look(
        "modern_dance",
        {"sex": -1.2, "weight": -1},
        "young_lightskinned_female",
        ("clothes/female_sportsuit01", "clothes/shoes05", "hair/ponytail01"),
    ),
    Look(
        "pick_up",
        {"sex": -1, "weight": 2, "age": 2},
        "old_darkskinned_female",
        ("clothes/female_casualsuit02", "clothes/shoes02", "hair/bob02"),
    ),
    Look(
        "run",
        {"sex": 1, "weight": -1, "height": 1},
        "young_darkskinned_male",
        ("clothes/male_casualsuit03", "clothes/shoes06", "hair/short04"),
    ),
    Look(
        "salsa",
        {"sex": -1.5, "height": -0.5},
        "young_lightskinned_female3",
        ("clothes/crude_gown", "clothes/cloth_shoes", "hair/long01"),
    ),
    Look(
        "soccer",
        {"sex": 1},
        "young_lightskinned_male3",
        ("clothes/male_casualsuit06", "clothes/shoes02", "hair/short01"),
    ),
    Look(
        "styled_walk",
        {"sex": 0.7, "weight": 1, "belly": 1.5},
        "middleage_lightskinned_male",
        ("clothes/male_casualsuit05", "clothes/shoes01", "clothes/fedora_cocked"),
    ),
)


def main(
    docs: Annotated[Path, typer.Argument(help="Where the pictures go.")],
    shared: Annotated[Path, typer.Argument(help="The folder with mocap and people.")],
    base_mesh: Annotated[Path, typer.Argument(help="base_mesh.npz of bitpose.body.make.")],
) -> None:
    """Draws body-rest, body-shapes, body-poses and body-dressed."""
    body = BodyModel.load()
    assert body.axes is not None
    _save(docs / "body-rest.jpg", _rest(body))
    _save(docs / "body-shapes.jpg", _shapes(body, body.axes))
    chosen = poses(shared / "mocap" / "cmu_poses.npz", body)
    bare, dressed = [], []
    base, wardrobe = BaseMesh.load(base_mesh), Wardrobe.load(shared / "people")
    for look, pose in zip(LOOKS, chosen, strict=True):
        bare.append(_around(_mannequin(body, np.zeros(1), pose)))
        person = look.dressed(base, wardrobe)
        dressed.append(_around(person.drawables(look.betas(body), pose)))
    _save(docs / "body-poses.jpg", _grid(bare, 2))
    _save(docs / "body-dressed.jpg", _grid(dressed, 2))


def _save(path: Path, picture: Picture) -> None:
    Image.fromarray(picture).save(path, quality=84, optimize=True)


def _grid(pictures: Sequence[Picture], columns: int) -> Picture:
    rows = [
        np.concatenate(pictures[i : i + columns], axis=1) for i in range(0, len(pictures), columns)
    ]
    return np.concatenate(rows)


def _mannequin(body: BodyModel, betas: ArrayLike, pose: Array) -> list[Drawable]:
    vertices = body.with_shape(betas).with_pose(pose).vertices()
    return [Drawable(Surface(len(vertices), body.faces), vertices, back_faces=False)]


def seen(
    drawables: list[Drawable], degrees: float, width: int, height: int, shown: float | None = None
) -> Picture:
    """From so many degrees to the left of where the body looks, a little from above; `shown` metres
    from top to bottom, or as large as fits from all sides.
    """
    points = np.concatenate([drawable.vertices_world for drawable in drawables])
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    angle = np.deg2rad(degrees)
    way = np.array([np.sin(angle), _TILT, np.cos(angle)])
    if shown is None:
        away = points - middle
        # A body turned about the vertical, seen from so far that depth matters little.
        wide = np.hypot(away[:, 0], away[:, 2])
        high = np.abs(away[:, 1]) + _TILT * wide
        shown = 2.1 * height * max(wide.max() / width, high.max() / height)
    focal = height * _DISTANCE * float(np.linalg.norm(way)) / shown
    camera = PerspectiveCamera(
        width=width,
        height=height,
        fx=focal,
        fy=focal,
        T_camera_world=look_at(middle + _DISTANCE * way, middle, (0, 1, 0)),
    )
    return render(drawables, camera, background=_WHITE).rgb


def _around(drawables: list[Drawable]) -> Picture:
    """From four sides."""
    return np.concatenate(
        [seen(drawables, degrees, 170, 170) for degrees in (20, 110, 200, 290)], axis=1
    )


def _rest(body: BodyModel) -> Picture:
    drawables = _mannequin(body, np.zeros(1), np.tile(np.eye(3), (24, 1, 1)))
    views = [seen(drawables, degrees, 340, 340, 1.9) for degrees in (0, 40, 90, 180)]
    return np.concatenate(views, axis=1)


def _shapes(body: BodyModel, axes: ShapeAxes) -> Picture:
    """Each axis at -2 and 2, arms down."""
    pose = np.zeros((24, 3))
    pose[SMPL_JOINTS.index("left_shoulder")] = (0, 0, -1.1)
    pose[SMPL_JOINTS.index("right_shoulder")] = (0, 0, 1.1)
    turned = axis_angle_to_matrix(pose)
    cells = []
    for name in axes.names:
        pair = [
            seen(_mannequin(body, axes.betas(**{name: value}), turned), 30, 85, 200, 2.05)
            for value in (-2, 2)
        ]
        strip = np.full((18, 170, 3), 255, np.uint8)
        cell = Image.fromarray(np.concatenate([strip, np.concatenate(pair, axis=1)]))
        ImageDraw.Draw(cell).text((85, 2), f"{name}  -2, 2", fill=(60, 60, 60), anchor="ma")
        cells.append(np.asarray(cell))
    return _grid(cells, 8)


def poses(path: Path, body: BodyModel) -> list[Array]:
    """[24, 3, 3] of each category in `LOOKS`: a frame whose limbs are bent unusually far."""
    with np.load(path, allow_pickle=False) as archive:
        data = {key: archive[key] for key in ("poses", "category", "category_names", "rest_joints")}
    vectors = data["poses"].astype(np.float64).reshape(-1, 24, 3)
    limbs = [
        SMPL_JOINTS.index(f"{side}_{joint}")
        for side in ("left", "right")
        for joint in ("hip", "knee", "shoulder", "elbow")
    ]
    angles = np.linalg.norm(vectors[:, limbs], axis=-1)
    unusual = np.abs(angles - np.median(angles, axis=0)).sum(axis=1)
    chosen = []
    for look in LOOKS:
        number = data["category_names"].tolist().index(look.category)
        frames = np.flatnonzero(data["category"] == number)
        frames = frames[np.argsort(unusual[frames], kind="stable")]
        frame = vectors[frames[int(len(frames) * _QUANTILE)]]
        pose = retarget(axis_angle_to_matrix(frame), data["rest_joints"], body.J_template)
        chosen.append(_facing(pose))
    return chosen


def _facing(pose: Array) -> Array:
    """The pose turned about the vertical, so that the pelvis looks along z."""
    ahead = pose[0, :, 2]
    turn = axis_angle_to_matrix(np.array([0, -np.arctan2(ahead[0], ahead[2]), 0]))
    return np.concatenate([(turn @ pose[0])[None], pose[1:]])


if __name__ == "__main__":
    typer.run(main)
