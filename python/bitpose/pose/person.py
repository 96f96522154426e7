# SPDX-License-Identifier: Apache-2.0
"""People in a photo, and the file that says what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.fit import Fit
from bitpose.body.model import Mesh, PosedBody, ShapedBody
from bitpose.body.rotations import matrix_to_axis_angle
from bitpose.pose.decode import Keypoints
from bitpose.pose.iuv_map import IuvMap
from bitpose.pose.surface_scores import SurfaceScores
from bitpose.render import Drawable, PerspectiveCamera

Array = NDArray[Any]

#: Of the layout of `people_json`; a change that old readers misread gets another number.
SCHEMA_VERSION = 1


@dataclass(frozen=True, eq=False)
class Body:
    """A person's body, in the camera's frame."""

    shaped: ShapedBody
    R_parent_joint: Array
    """[24, 3, 3]."""
    translation: Array
    """[3] metres."""
    covariance: Array | None = None
    """[24, 3, 3] square metres, of where each joint is relative to the root; None where nobody has
    fitted this body alone."""

    @classmethod
    def of_fit(cls, fit: Fit) -> Body:
        """The fitted body."""
        return cls(fit.shaped, fit.R_parent_joint, fit.translation, fit.covariance)

    @property
    def betas(self) -> Array:
        """[16]."""
        return self.shaped.coefficients

    def posed(self) -> PosedBody:
        """The body where it is."""
        return self.shaped.with_pose(self.R_parent_joint, self.translation)


@dataclass(frozen=True, eq=False)
class Person:
    """One person. Pixels are those of the upright photo, x to the right and y down; metres are in
    the camera's frame, z into the picture."""

    box: tuple[float, float, float, float]
    """left, top, right, bottom."""
    score: float
    """0 for somebody whom a frame of a sequence does not show, but those before and after it."""
    keypoints: Keypoints
    """COCO's 17."""
    camera: PerspectiveCamera
    """One for all people of a photo."""
    body: Body | None
    """None where too little was seen for one."""
    id: int | None = None
    """Of a sequence: the same for the same person in all frames, from 1."""
    surface: SurfaceScores | None = None
    """What the network said of the surface, if it did."""

    @cached_property
    def posed(self) -> PosedBody | None:
        return None if self.body is None else self.body.posed()

    @cached_property
    def mesh(self) -> Mesh | None:
        """The body's surface; vertices [V, 3]."""
        return None if self.posed is None else self.posed.mesh()

    @cached_property
    def maps(self) -> IuvMap | None:
        """Part, u and v of each pixel, [height, width]: what the network saw of the surface, or
        else what the camera sees of this body alone.
        """
        if self.surface is not None:
            return self.surface.over(self.camera.width, self.camera.height)
        drawable = self.drawable
        if drawable is None:
            return None
        from bitpose.render import rasterize

        drawn = rasterize([drawable], self.camera)
        return IuvMap(drawn.part, drawn.u, drawn.v)

    @property
    def drawable(self) -> Drawable | None:
        """The body with its charts."""
        if self.mesh is None:
            return None
        from bitpose.body import default_surface

        surface = default_surface.load().charts.surface()
        return Drawable(surface, self.mesh.vertices, back_faces=False)

    def as_json(self) -> dict[str, Any]:
        """See docs/estimate.md; what a body says is None where there is none."""
        found: dict[str, Any] = {
            "id": self.id,
            "box": _rounded(self.box, 2),
            "score": round(float(self.score), 4),
            "keypoints": _rounded(self.keypoints.rows, 3),
            "camera": {
                "focal": round(float(self.camera.fx), 2),
                "center": [self.camera.cx, self.camera.cy],
            },
        }
        body = dict.fromkeys(("joints", "pose", "betas", "translation", "uncertainty"))
        if self.body is not None and self.posed is not None:
            body |= {
                "joints": _rounded(self.posed.t_world_joint, 4),
                "pose": _rounded(matrix_to_axis_angle(self.body.R_parent_joint), 5),
                "betas": _rounded(self.body.betas, 4),
                "translation": _rounded(self.body.translation, 4),
            }
            if self.body.covariance is not None:
                variance = np.diagonal(self.body.covariance, axis1=1, axis2=2)
                body["uncertainty"] = _rounded(np.sqrt(np.maximum(variance, 0)), 4)
        return found | body


def _rounded(values: Any, decimals: int) -> Any:
    return np.round(np.asarray(values, np.float64), decimals).tolist()


def people_json(
    people: Sequence[Person], width: int, height: int, seconds: float | None = None
) -> dict[str, Any]:
    """What `bitpose estimate` writes to people.json: docs/estimate.md. `seconds` is when a frame of
    a sequence is shown.
    """
    return {
        "version": SCHEMA_VERSION,
        "width": width,
        "height": height,
        "seconds": None if seconds is None else round(seconds, 4),
        "people": [person.as_json() for person in people],
    }


def people_iuv(people: Sequence[Person]) -> NDArray[np.uint8] | None:
    """[H, W, 3] of everyone as in `IuvMap.iuv`, who is nearer before who is farther; None where
    there is nothing of anyone.
    """
    from bitpose.render import rasterize

    def depth(person: Person) -> float:
        return np.inf if person.posed is None else float(person.posed.t_world_joint[0, 2])

    seen = [person for person in people if person.surface is not None]
    drawn = [d for d in (p.drawable for p in people if p.surface is None) if d is not None]
    if not seen and not drawn:
        return None
    camera = people[0].camera
    result = rasterize(drawn, camera).iuv
    for person in sorted(seen, key=depth, reverse=True):
        if person.maps is not None:
            result[person.maps.mask] = person.maps.iuv[person.maps.mask]
    return result


def coco_results(people: Sequence[Person], image_id: int) -> list[dict[str, Any]]:
    """COCO's keypoint results, for the official evaluator."""
    return [
        {
            "image_id": image_id,
            "category_id": 1,
            "keypoints": _rounded(person.keypoints.rows.reshape(-1), 3),
            "score": round(float(person.score * person.keypoints.score.mean()), 5),
        }
        for person in people
    ]
