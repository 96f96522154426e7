# SPDX-License-Identifier: Apache-2.0
"""From a photo to people: a detector, a network that looks at each person, and a body fitted to
what it sees."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from typing import Any

from numpy.typing import NDArray
from PIL import Image

from bitpose.pose.bodies import Bodies, Refine
from bitpose.pose.feed import Pixels
from bitpose.pose.frames import Frames
from bitpose.pose.own_networks import Network
from bitpose.pose.person import Person
from bitpose.pose.photo import Photo, as_photo, focal_of
from bitpose.pose.seeing import find_seer
from bitpose.pose.sequence import Progress, follow, plain
from bitpose.render import PerspectiveCamera

Array = NDArray[Any]

#: Focal length over the longer side of a photo that does not tell.
_USUAL_FOCAL = 1.2


class Estimator:
    """Finds people, with bitpose's own networks or a user's. Made once for many photos.

    `network` sees one person, `detector` finds boxes of people; a file of `bitpose.train.publish`
    has both, and one comes with bitpose. Another network without a detector takes a photo to show
    one person. Sessions, or paths of .onnx or .bpm files; their kinds are recognised by their
    outputs (`bitpose.pose.reading`, `bitpose.pose.detectors`). `threshold` is the least score of a
    box, `focal` a focal length in pixels for all photos. `refine` says what becomes of a body that
    the network predicts: `bitpose.pose.bodies.Bodies`; one that gives keypoints only predicts none.
    `kind` names that of the network (`bitpose.pose.reading.KINDS`), and `pixels` the format of its
    input where it is not the usual one. `fit_surface=False` leaves the surface that a network sees
    out of fits: where its U and V are not those of bitpose's charts.

    Raises InputError for networks of no known kind.
    """

    def __init__(
        self,
        network: Network | None = None,
        detector: Network | None = None,
        *,
        threshold: float | None = None,
        focal: float | None = None,
        threads: int = 1,
        refine: Refine = "warm",
        kind: str | None = None,
        pixels: Pixels | None = None,
        fit_surface: bool = True,
    ) -> None:
        self._seer = find_seer(network, detector, threads, threshold, kind, pixels)
        self._bodies = Bodies(self._seer.skeleton, refine, fit_surface)
        self._focal = focal

    def __call__(self, image: Photo) -> list[Person]:
        """The people in a photo (path, PIL image or uint8 array [H, W, 3] or [H, W]), the surest
        first. Raises InputError for what is no picture."""
        photo = as_photo(image)
        camera = self._camera(photo)
        seen = self._seer.run(photo)
        bodies = self._bodies.of([sighting.reading for sighting in seen], camera)
        return [
            self._bodies.person(sighting, camera, body)
            for sighting, body in zip(seen, bodies, strict=True)
        ]

    def sequence(
        self,
        frames: Frames | str | PathLike[str] | Iterable[Photo],
        frames_per_second: float | None = None,
        progress: Progress = plain,
    ) -> list[list[Person]]:
        """The people in each frame of a sequence: who is who, and how they move, smoothly.

        `frames` are photos of one size, the path of a folder of them, which are sorted by name, or
        of an animated GIF, WebP or PNG; they are read one after the other and not kept. They are
        `frames_per_second`, by default 30, or as long as an animation says. `progress` shows how
        far it is, as rich.progress.track does. Somebody whom a few frames do not show stays in
        them; bodies have no covariance. Raises InputError for what cannot be read.
        """
        known = frames if isinstance(frames, Frames) else Frames.of(frames, frames_per_second)
        return follow(known, self._seer.run, self._camera, self._bodies, progress)

    def _camera(self, photo: Image.Image) -> PerspectiveCamera:
        focal = self._focal or focal_of(photo) or _USUAL_FOCAL * max(photo.size)
        return PerspectiveCamera(width=photo.width, height=photo.height, fx=focal, fy=focal)


def estimate(
    image: Photo, network: Network | None = None, detector: Network | None = None
) -> list[Person]:
    """The people in one photo; see `Estimator`, which keeps its networks for many."""
    return Estimator(network, detector)(image)
