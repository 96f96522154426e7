# SPDX-License-Identifier: Apache-2.0
"""What networks are for, and how near a quantized one comes to its float self in that."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.photos import View
from bitpose.pose.boxes import Boxes, area, overlap, suppressed
from bitpose.pose.decode import Keypoints

Array = NDArray[Any]
Outputs = Sequence[Array]


@dataclass(frozen=True)
class Verdict:
    """Of one quantized network: `error` is for comparing, less is better."""

    text: str
    error: float
    passed: bool


class Task(ABC):
    """Compares the outputs of a quantized network with those of the float network."""

    criterion: ClassVar[str]

    @abstractmethod
    def compare(self, exact: Outputs, got: Outputs, view: View, size: tuple[int, int]) -> Array:
        """What one view says, rows that `verdict` sums up; `size` is that of the input."""

    @abstractmethod
    def verdict(self, rows: Array) -> Verdict:
        """Of the rows of all views."""


@dataclass(frozen=True)
class PersonKeypoints(Task):
    """Of one person: those that the float network is sure of stay where they are."""

    decode: Callable[[Outputs, int, int], Keypoints]
    threshold: float
    criterion: ClassVar[str] = "keypoints on average within 3 % of the person's box"

    def compare(self, exact: Outputs, got: Outputs, view: View, size: tuple[int, int]) -> Array:
        """Distances as shares of the longer side of the person's box."""
        _, placement = view.fitted(*size)
        a, b = (self.decode(outputs, *size) for outputs in (exact, got))
        person = (view.person or max(view.photo.size)) * placement.scale
        distance = np.linalg.norm(a.xy.astype(np.float64) - b.xy, axis=1) / person
        return np.asarray(distance[a.score >= self.threshold + 0.1])

    def verdict(self, rows: Array) -> Verdict:
        mean, within = float(rows.mean()), float((rows <= 0.03).mean())
        text = f"{100 * mean:.1f} % off, {100 * within:.0f} % of {len(rows)} within 3 %"
        return Verdict(text, mean, mean <= 0.03)


@dataclass(frozen=True)
class Detections(Task):
    """Those that score 0.1 above the threshold in float are found again, in place."""

    decode: Callable[[Outputs, int, int], Boxes]
    threshold: float
    most_overlap: float = 0.5
    criterion: ClassVar[str] = "the same boxes: IoU >= 0.9 above 96 pixels, >= 0.75 below"

    def boxes(self, outputs: Outputs, size: tuple[int, int], threshold: float) -> Boxes:
        return suppressed(self.decode(outputs, *size).above(threshold), self.most_overlap)

    def compare(self, exact: Outputs, got: Outputs, view: View, size: tuple[int, int]) -> Array:
        """Per detection its overlap with the one found, and the overlap that is asked for."""
        _, placement = view.fitted(*size)
        found = self.boxes(got, size, self.threshold)
        rows = []
        for box in _each(self.boxes(exact, size, self.threshold + 0.1)):
            same = found[found.classes == box.classes[0]]
            best = overlap(box.corners[0], same.corners).max(initial=0.0)
            side = float(area(box.corners[0])) ** 0.5 / placement.scale
            rows.append((best, 0.9 if side > 96 else 0.75))
        return np.array(rows).reshape(-1, 2)

    def verdict(self, rows: Array) -> Verdict:
        kept = int((rows[:, 0] >= rows[:, 1]).sum())
        worst = f", least IoU {rows[:, 0].min():.2f}" if len(rows) else ""
        return Verdict(
            f"{kept} of {len(rows)} boxes{worst}", 1 - kept / max(1, len(rows)), kept == len(rows)
        )


def _each(boxes: Boxes) -> Sequence[Boxes]:
    return [boxes[i : i + 1] for i in range(len(boxes.scores))]


@dataclass(frozen=True)
class Mask(Task):
    """The pixels of persons stay those of persons."""

    decode: Callable[[Outputs], Array]
    criterion: ClassVar[str] = "mean IoU >= 0.97"

    def compare(self, exact: Outputs, got: Outputs, view: View, size: tuple[int, int]) -> Array:
        """Pixels of both and of either, for persons and for the rest."""
        a, b = self.decode(exact), self.decode(got)
        pairs = ((a, b), (~a, ~b))
        return np.array([[(x & y).sum(), (x | y).sum()] for x, y in pairs]).reshape(1, 4)

    def verdict(self, rows: Array) -> Verdict:
        counts = rows.sum(axis=0).reshape(2, 2)
        shares = counts[:, 0] / np.maximum(counts[:, 1], 1)
        mean = float(shares.mean())
        return Verdict(f"mean IoU {mean:.3f}", 1 - mean, mean >= 0.97)


@dataclass(frozen=True)
class Signal(Task):
    """Signal to quantization noise, for networks that no photo suits."""

    criterion: ClassVar[str] = "SQNR of each output >= 20 dB"

    def compare(self, exact: Outputs, got: Outputs, view: View, size: tuple[int, int]) -> Array:
        """Per output the energy of the signal and of the noise."""
        pairs = [(x.astype(np.float64), y) for x, y in zip(exact, got, strict=True)]
        return np.array([[np.square(x).sum(), np.square(x - y).sum()] for x, y in pairs])[None]

    def verdict(self, rows: Array) -> Verdict:
        signal, noise = rows.sum(axis=0).T
        decibels = 10 * np.log10(np.maximum(signal, 1e-30) / np.maximum(noise, 1e-30))
        least = float(decibels.min())
        spread = f" .. {decibels.max():.1f}" if len(decibels) > 1 else ""
        return Verdict(f"{least:.1f}{spread} dB", -least, least >= 20)
