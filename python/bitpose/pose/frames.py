# SPDX-License-Identifier: Apache-2.0
"""Frames of sequences, read one at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
from PIL import Image

from bitpose.body.fit.checks import positive
from bitpose.errors import InputError
from bitpose.pose.photo import Photo, as_photo, opened, upright

#: Frames a second of pictures that do not tell.
USUAL_RATE = 30.0
#: Seconds of a frame of an animation that gives none, as browsers have it.
_USUAL_DURATION = 0.1


@dataclass(frozen=True, eq=False)
class Frame:
    """A picture of a sequence."""

    name: str
    seconds: float
    """Since the first frame."""
    photo: Image.Image


@dataclass(frozen=True, eq=False)
class Frames:
    """Pictures in their order; each walk through them reads them again."""

    read: Callable[[], Iterator[Frame]]
    frames_per_second: float
    names: tuple[str, ...] | None
    """None where it is not known before how many there are."""

    def __iter__(self) -> Iterator[Frame]:
        return self.read()

    @classmethod
    def of(
        cls, source: str | PathLike[str] | Iterable[Photo], frames_per_second: float | None = None
    ) -> Frames:
        """Of photos, of the path of a folder of photos, sorted by their names, or of an animated
        GIF, WebP or PNG, whose frames last as long as it says unless `frames_per_second` is given.

        Raises InputError for a rate that is not positive, a folder without pictures, and, also
        while frames are read, for what is no picture.
        """
        if frames_per_second is not None:
            positive("frames_per_second", frames_per_second)
        if not isinstance(source, str | PathLike):
            return cls._of_photos(source, frames_per_second or USUAL_RATE)
        path = Path(source)
        if path.is_dir():
            files = pictures_in(path)
            if not files:
                raise InputError(f"no pictures in {path}")
            return cls._of_photos(files, frames_per_second or USUAL_RATE)
        return cls._of_animation(path, frames_per_second)

    @classmethod
    def _of_photos(cls, photos: Iterable[Photo], rate: float) -> Frames:
        names = tuple(_name(*each) for each in enumerate(photos)) if _again(photos) else None

        def read() -> Iterator[Frame]:
            for number, photo in enumerate(photos):
                yield Frame(_name(number, photo), number / rate, as_photo(photo))

        return cls(read, rate, names)

    @classmethod
    def _of_animation(cls, path: Path, rate: float | None) -> Frames:
        with opened(path) as image:
            durations = [_duration(image, i) for i in range(getattr(image, "n_frames", 1))]
        if rate is not None:
            durations = [1 / rate] * len(durations)
        starts = np.cumsum([0.0, *durations])
        names = tuple(_name(number, None) for number in range(len(durations)))

        def read() -> Iterator[Frame]:
            with opened(path) as image:
                for number, name in enumerate(names):
                    image.seek(number)
                    yield Frame(name, float(starts[number]), upright(image.copy()))

        return cls(read, 1 / float(np.median(durations)), names)


def is_animation(path: Path) -> bool:
    """Whether a file is a picture with several frames."""
    try:
        with opened(path) as image:
            return bool(getattr(image, "is_animated", False))
    except InputError:
        return False


def pictures_in(folder: Path) -> list[Path]:
    """The pictures in a folder, sorted by their names, numbers in them by what they count."""
    suffixes = Image.registered_extensions()
    files = [path for path in folder.iterdir() if path.suffix.lower() in suffixes]
    return sorted(files, key=lambda path: (_parts(path.stem), path.name))


def _parts(name: str) -> list[tuple[int, str]]:
    """Words and numbers that a name is made of, in an order of their own."""
    return [
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)
    ]


def _again(photos: Iterable[Photo]) -> bool:
    """Whether they can be walked through more than once."""
    return iter(photos) is not photos


def _name(number: int, photo: object) -> str:
    return Path(photo).stem if isinstance(photo, str | PathLike) else f"{number + 1:05}"


def _duration(image: Image.Image, number: int) -> float:
    """Seconds of a frame."""
    image.seek(number)
    image.load()
    return float(image.info.get("duration") or 0) / 1000 or _USUAL_DURATION
