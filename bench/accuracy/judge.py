# SPDX-License-Identifier: Apache-2.0
"""Quantizes a network and compares it with its float self."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

import bitpose
from bench.accuracy.networks import Network
from bench.accuracy.photos import View
from bench.accuracy.tasks import Outputs, Signal, Verdict
from bitpose.pose.feed import PictureInput
from bitpose.quantize import Options, share_in_float

Array = NDArray[Any]
Feed = dict[str, Array]


class Trial:
    """A float network, its calibration and what it makes of the views that it is judged by."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.session = bitpose.InferenceSession(network.path, shapes=network.shapes)
        self._input = PictureInput.of(self.session.get_inputs())
        self.size = (self._input.height, self._input.width)

    def feed(self, view: View) -> Feed:
        picture, _ = view.fitted(*self.size)
        return self._input.feed(picture, self.network.pixels)

    @cached_property
    def calibration(self) -> list[Feed]:
        return [self.feed(view) for view in self.network.calibration()]

    @cached_property
    def tests(self) -> Sequence[tuple[View, Feed, Outputs]]:
        """Each view with the outputs of the float network."""
        found = []
        for view in self.network.test():
            feed = self.feed(view)
            found.append((view, feed, self.session.run(None, feed)))
        return found

    def judge(self, run: Callable[[Feed], Outputs]) -> list[Verdict]:
        """A verdict for each task, and of the signal last."""
        pairs = [(view, exact, run(feed)) for view, feed, exact in self.tests]
        return [
            task.verdict(
                np.concatenate(
                    [task.compare(exact, got, view, self.size) for view, exact, got in pairs]
                )
            )
            for task in (*self.network.tasks, Signal())
        ]


@dataclass(frozen=True)
class Result:
    """Of one way to quantize one network."""

    verdicts: list[Verdict]
    seconds: float
    float_share: float = 0.0
    """Of the multiplications, those that are not in 8 bits."""


def judge_ours(trial: Trial, options: Options | None = None) -> Result:
    start = time.perf_counter()
    model = bitpose.compile(
        trial.network.path,
        shapes=trial.network.shapes,
        precision="int8",
        calibration=trial.calibration,
        options=options or Options(),
    )
    seconds = time.perf_counter() - start
    session = bitpose.InferenceSession(model.to_bytes())
    assert model.graph is not None
    verdicts = trial.judge(lambda feed: session.run(None, feed))
    return Result(verdicts, seconds, share_in_float(model.graph))


def judge_noise(trial: Trial) -> Result:
    """The float network on photos each of whose pixels is brighter or darker by up to one step."""
    random = np.random.default_rng(0)
    step = 1.0 / np.asarray(trial.network.pixels.divisor, np.float64).min()

    def run(feed: Feed) -> Outputs:
        noisy = {
            name: (x + random.uniform(-step, step, x.shape)).astype(np.float32)
            for name, x in feed.items()
        }
        return trial.session.run(None, noisy)

    return Result(trial.judge(run), 0.0)


def judge_onnxruntime(trial: Trial) -> Result:
    from bench.accuracy.baseline import quantize_static

    start = time.perf_counter()
    session = quantize_static(trial.network.path, trial.calibration)
    seconds = time.perf_counter() - start
    return Result(trial.judge(lambda feed: list(session.run(None, feed))), seconds)
