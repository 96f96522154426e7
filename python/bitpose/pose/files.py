# SPDX-License-Identifier: Apache-2.0
"""The files that say what was found in a photo."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bitpose.body.glb import write_glb
from bitpose.body.mesh_files import write_mesh
from bitpose.body.model import PosedBody
from bitpose.pose.draw import draw_keypoints
from bitpose.pose.person import Body, Person, people_iuv, people_json
from bitpose.render.overlay import draw_iuv, draw_meshes, side_views

_OPACITY = 0.85
_SURE = 0.3


def write_people(
    people: Sequence[Person],
    photo: Image.Image,
    folder: Path,
    seconds: float | None = None,
    meshes: bool = True,
) -> list[Path]:
    """Writes to `folder`, which is made where it is not there, and returns what was written:

    people.json     see docs/estimate.md
    skeleton.png    the keypoints over the photo
    surface.png     charts of their surface over the photo
    iuv.png         part, u and v of each pixel (DensePose's convention), 0 where there is nobody
    overlay.png     the bodies over the photo
    side.png        the bodies from their side
    person1.obj     each body's mesh, numbered as in people.json: x to the right, y up, z backwards
    person1.glb     the same with its skeleton

    Without bodies there is nothing below iuv.png, and that only of a network that sees surfaces;
    without `meshes` there are not the last two. `seconds` is when a frame of a sequence is shown.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = people_json(people, photo.width, photo.height, seconds)
    pictures = {
        "skeleton.png": draw_keypoints(photo, [person.keypoints for person in people], _SURE)
    }
    drawn: dict[str, NDArray[np.uint8]] = {}
    pixels, iuv = np.asarray(photo), people_iuv(people)
    if iuv is not None:
        drawn |= {"surface.png": draw_iuv(pixels, iuv), "iuv.png": iuv}
    bodies = [d for d in (person.drawable for person in people) if d is not None]
    if bodies:
        camera = people[0].camera
        drawn["overlay.png"] = draw_meshes(pixels, bodies, camera, opacity=_OPACITY)
        drawn["side.png"] = side_views(bodies, camera)
    pictures |= {name: Image.fromarray(picture) for name, picture in drawn.items()}
    (folder / "people.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    for name, picture in pictures.items():
        picture.save(folder / name)
    written = [folder / "people.json", *(folder / name for name in pictures)]
    for number, person in enumerate(people, 1):
        if meshes and person.body is not None:
            posed = _upright(person.body.posed())
            surface, skeleton = (folder / f"person{number}.{kind}" for kind in ("obj", "glb"))
            write_mesh(surface, posed.mesh())
            write_glb(skeleton, posed)
            written += [surface, skeleton]
    return written


def write_motions(
    people: Sequence[Sequence[Person]], frames_per_second: float, folder: Path
) -> list[Path]:
    """Of a sequence's frames writes each person, by their number, as an animated body:

    person1.glb     poses from the first frame to the last that show them, in axes as above
    """
    motions: dict[int, list[Body]] = {}
    for frame in people:
        for person in frame:
            if person.id is not None and person.body is not None:
                motions.setdefault(person.id, []).append(person.body)
    written = []
    for number, bodies in motions.items():
        poses = np.stack([body.R_parent_joint for body in bodies])
        places = np.stack([body.translation for body in bodies])
        path = folder / f"person{number}.glb"
        write_glb(path, _upright(bodies[0].shaped.with_pose(poses, places)), frames_per_second)
        written.append(path)
    return written


def _upright(posed: PosedBody) -> PosedBody:
    """The body in the axes of a viewer: half a turn about x from those of the camera."""
    turn = np.diag([1.0, -1.0, -1.0])
    rotations = posed.R_parent_joint.copy()
    rotations[..., 0, :, :] = turn @ rotations[..., 0, :, :]
    root = posed.shaped.rest_joints[0]
    return posed.shaped.with_pose(rotations, posed.t_world_joint[..., 0, :] @ turn - root)
