# SPDX-License-Identifier: Apache-2.0
"""Made-up pictures with their labels as they are kept in files, to be seen more than once.

A file is a ZIP archive of `SCENES` of them: pictures in JPEG, maps, and the labels of all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bitpose.errors import InputError
from bitpose.train.people import Sample, Studio
from bitpose.train.people.labels import PersonLabels

Array = NDArray[Any]
Bytes = NDArray[np.uint8]

#: Scenes of a file.
SCENES = 256
_QUALITY = 95
_LABELS = "labels.npz"
_FIELDS = tuple(field.name for field in fields(PersonLabels))


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture of S pixels a side and what training is told of it."""

    picture: Bytes
    """[S, S, 3], RGB."""
    part: Bytes
    """[S, S]: DensePose's I; 0 where nothing is known of a body."""
    uv: Bytes
    """[2, S, S]: in 255ths."""
    owner: Bytes
    """[S, S]: 0 for nobody, or 1 + which person is seen, clothes and hair included."""
    camera: Array
    """[4]: fx, fy, cx, cy in pixels."""
    people: tuple[PersonLabels, ...]

    @classmethod
    def of(cls, sample: Sample) -> Scene:
        labels, camera = sample.labels, sample.camera
        iuv = labels.iuv
        return cls(
            sample.picture,
            np.ascontiguousarray(iuv[..., 0]),
            np.ascontiguousarray(iuv[..., 1:].transpose(2, 0, 1)),
            (labels.person + 1).astype(np.uint8),
            np.array([camera.fx, camera.fy, camera.cx, camera.cy]),
            labels.people,
        )

    @property
    def size(self) -> int:
        return len(self.picture)


def made(studio: Studio, seeds: Iterable[int], size: int) -> Iterator[Scene]:
    """Scenes of these seeds."""
    for seed in seeds:
        yield Scene.of(studio.sample(seed, size))


def write_scenes(path: str | PathLike[str], scenes: Sequence[Scene]) -> None:
    """One file, whole or not at all."""
    people = [person for scene in scenes for person in scene.people]
    labels = {name: np.array([getattr(p, name) for p in people], np.float32) for name in _FIELDS}
    labels["cameras"] = np.array([scene.camera for scene in scenes])
    labels["ends"] = np.cumsum([len(scene.people) for scene in scenes])
    new = Path(path).with_suffix(".new")
    with ZipFile(new, "w", ZIP_STORED, compresslevel=1) as file:
        for number, scene in enumerate(scenes):
            maps = np.concatenate([scene.part[None], scene.uv, scene.owner[None]])
            file.writestr(f"{number:03}.jpg", _jpeg(scene.picture))
            file.writestr(f"{number:03}.maps", maps.tobytes(), ZIP_DEFLATED)
        with file.open(_LABELS, "w") as member:
            np.savez(member, allow_pickle=False, **labels)
    new.replace(path)


class SceneFile:
    """The scenes of one file, read when asked for."""

    def __init__(self, path: str | PathLike[str]) -> None:
        """Raises InputError for a file that is none of scenes."""
        try:
            self._file = ZipFile(path)
            with np.load(BytesIO(self._file.read(_LABELS)), allow_pickle=False) as labels:
                self._labels = dict(labels)
            self._ends = self._labels["ends"]
        except (BadZipFile, ValueError, KeyError) as error:
            raise InputError(f"{path} is no file of scenes: {error}") from error

    def __len__(self) -> int:
        return len(self._ends)

    def people(self, index: int) -> tuple[PersonLabels, ...]:
        first = int(self._ends[index - 1]) if index else 0
        rows = range(first, int(self._ends[index]))
        return tuple(PersonLabels(**{n: self._labels[n][row] for n in _FIELDS}) for row in rows)

    def __getitem__(self, index: int) -> Scene:
        with Image.open(BytesIO(self._file.read(f"{index:03}.jpg"))) as image:
            picture = np.asarray(image)
        raw = np.frombuffer(self._file.read(f"{index:03}.maps"), np.uint8)
        maps = raw.reshape(4, *picture.shape[:2])
        camera = self._labels["cameras"][index]
        return Scene(picture, maps[0], maps[1:3], maps[3], camera, self.people(index))


def _jpeg(picture: Bytes) -> bytes:
    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
    return buffer.getvalue()
