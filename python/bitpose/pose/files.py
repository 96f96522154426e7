# SPDX-License-Identifier: Apache-2.0
"""The files that say what was found in a photo."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from bitpose.pose.draw import draw_keypoints
from bitpose.pose.person import Person, people_json
from bitpose.render import rasterize
from bitpose.render.overlay import draw_iuv, draw_meshes, side_views

_OPACITY = 0.85
_SURE = 0.3


def write_people(people: Sequence[Person], photo: Image.Image, folder: Path) -> list[Path]:
    """Writes to `folder`, which is made where it is not there, and returns what was written:

    people.json     see docs/estimate.md
    skeleton.png    the keypoints over the photo
    overlay.png     the bodies over the photo
    surface.png     their charts over the photo
    side.png        the bodies from their side
    iuv.png         part, u and v of each pixel (DensePose's convention), 0 where there is nobody

    Without bodies the last four are left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = people_json(people, photo.width, photo.height)
    pictures = {
        "skeleton.png": draw_keypoints(photo, [person.keypoints for person in people], _SURE)
    }
    bodies = [d for d in (person.drawable for person in people) if d is not None]
    if bodies:
        camera, pixels = people[0].camera, np.asarray(photo)
        iuv = rasterize(bodies, camera).iuv
        drawn = {
            "overlay.png": draw_meshes(pixels, bodies, camera, opacity=_OPACITY),
            "surface.png": draw_iuv(pixels, iuv),
            "side.png": side_views(bodies, camera),
            "iuv.png": iuv,
        }
        pictures |= {name: Image.fromarray(picture) for name, picture in drawn.items()}
    (folder / "people.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    for name, picture in pictures.items():
        picture.save(folder / name)
    return [folder / "people.json", *(folder / name for name in pictures)]
