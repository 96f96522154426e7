# SPDX-License-Identifier: Apache-2.0
"""Where batches come from: files of scenes, or people that are made as they are needed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np

from bitpose.errors import InputError
from bitpose.train.people import Studio
from bitpose.train.scenes import Scene, SceneFile

#: Pixels of scenes that are made as they are needed.
SIZE = 256

T = TypeVar("T")


class Source(ABC):
    """Scenes to draw from."""

    @abstractmethod
    def draw(self, random: np.random.Generator) -> Scene:
        """Any scene."""


class Kept(Source):
    """The scenes of all files in folders."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """Raises InputError where there are none."""
        self._paths = [path for folder in folders for path in sorted(folder.glob("*.scenes"))]
        if not self._paths:
            names, maker = ", ".join(map(str, folders)), "python -m bitpose.train.make_scenes"
            raise InputError(f"no .scenes in {names}; {maker} makes them")

    @cached_property
    def _files(self) -> list[SceneFile]:
        return [SceneFile(path) for path in self._paths]

    def draw(self, random: np.random.Generator) -> Scene:
        file = self._files[random.integers(len(self._files))]
        return file[int(random.integers(len(file)))]


class Live(Source):
    """Scenes that nobody has seen before."""

    def __init__(self, shared: Path | None, base_mesh: Path | None) -> None:
        self._folders = shared, base_mesh

    @cached_property
    def _studio(self) -> Studio:
        return Studio.load(*self._folders, "train")

    def draw(self, random: np.random.Generator) -> Scene:
        return Scene.of(self._studio.sample(int(random.integers(1 << 40)), SIZE))


def batches_of(
    source: Source,
    samples: Callable[[Scene, np.random.Generator], Iterable[T]],
    batch: int,
    seed: int,
    first: int,
    step: int,
) -> Iterator[list[T]]:
    """Lists of `batch` samples without end: of batch `first`, `first + step` and so on. What a
    batch has depends on its number alone, so that a run that was interrupted can go on."""
    number = first
    while True:
        random = np.random.default_rng([seed, number])
        drawn: list[T] = []
        while len(drawn) < batch:
            drawn += samples(source.draw(random), random)
        yield drawn[:batch]
        number += step
