# SPDX-License-Identifier: Apache-2.0
"""`python -m bench.kernels`: single layers beside onnxruntime.

A layer's kernel cannot be called alone in another engine. So a stack of equal layers runs, and what
both engines spend at its ends, on calls and changes of layout, is divided by the depth. The kernels
of bitpose alone are timed by `bitpose bench --kernels`.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import onnx
import typer

import bitpose
from bench.networks import peers, zoo
from bitpose.cli.console import Report, console
from bitpose.cli.feeds import random_feed
from bitpose.cli.machine import describe
from bitpose.cli.timing import Spread, interleaved

Layer = Callable[[zoo.Draft, str], str]


@dataclass(frozen=True)
class Stack:
    """`depth` times `layer` on a picture of these extents."""

    name: str
    extents: tuple[int, int, int]
    macs: int  #: Of a layer.
    layer: Layer
    depth: int = 8

    def model(self) -> onnx.ModelProto:
        net = zoo.Draft(*self.extents)
        y = "x"
        for _ in range(self.depth):
            y = self.layer(net, y)
        return net.model(y)


def dense(channels: int, size: int, side: int, depth: int = 8) -> Stack:
    def layer(net: zoo.Draft, x: str) -> str:
        return net.relu(net.convolution(x, channels, size))

    name = f"{size}x{size} {channels} -> {channels}, {side}x{side}"
    macs = side * side * channels * channels * size * size
    return Stack(name, (channels, side, side), macs, layer, depth)


def bottleneck(narrow: int, wide: int, side: int) -> Stack:
    """A layer here is the mean of a wide and a narrow one."""

    def layer(net: zoo.Draft, x: str) -> str:
        return net.convolution(net.relu6(net.convolution(x, wide)), narrow)

    name = f"1x1 {narrow} -> {wide} -> {narrow}, {side}x{side}"
    macs = 2 * side * side * narrow * wide
    return Stack(name, (narrow, side, side), macs, layer)


def depthwise(channels: int, size: int, side: int) -> Stack:
    def layer(net: zoo.Draft, x: str) -> str:
        return net.relu6(net.convolution(x, channels, size, groups=channels))

    name = f"depthwise {size}x{size} {channels}, {side}x{side}"
    return Stack(name, (channels, side, side), side * side * channels * size * size, layer)


STACKS = (
    dense(512, 1, 14),
    dense(64, 1, 56),
    bottleneck(32, 192, 28),
    bottleneck(96, 576, 14),
    dense(64, 3, 56, depth=4),
    dense(256, 3, 14, depth=4),
    depthwise(64, 3, 112),
    depthwise(512, 3, 14),
    depthwise(240, 5, 28),
)


def measure(
    stack: Stack, precision: str, peer: str, seconds: float, directory: Path
) -> dict[str, Any]:
    path = directory / "float.onnx"
    onnx.save(stack.model(), path)
    if precision == "int8":
        quantized = directory / "int8.onnx"
        zoo.quantized(path, quantized)
        path = quantized
    feed = random_feed(bitpose.InferenceSession(path).get_inputs())
    calls = [peers.bitpose(path, feed), peers.PEERS[peer](path, feed)]
    once = sum(min(t) for t in interleaved(calls, 2, 1))
    runs = max(5, min(2000, int(seconds / once)))
    times = [Spread.of(t) for t in interleaved(calls, runs, 2)]
    return {
        "stack": stack.name,
        "precision": precision,
        "macs": stack.macs,
        "microseconds": {
            name: [1e3 * ms / stack.depth for ms in spread.milliseconds]
            for name, spread in zip(("bitpose", peer), times, strict=True)
        },
    }


def main(
    name: Annotated[str, typer.Option("--filter", help="A part of the name.")] = "",
    peer: Annotated[str, typer.Option(help="The other engine.")] = "onnxruntime",
    seconds: Annotated[float, typer.Option(help="For each line.", min=0)] = 1.0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write figures here.")] = None,
) -> None:
    """Time single layers on bitpose and a peer in turn."""
    console.print(describe(1, None))
    report = Report(
        "microseconds of a layer, one thread",
        "layer", "", "bitpose", "p10", "p90", "GMAC/s", peer, "p10", "p90", "GMAC/s", "ratio",
        text=2,
    )  # fmt: skip
    rows = []
    for stack in STACKS:
        for precision in ("float", "int8"):
            if name not in f"{stack.name}, {precision}":
                continue
            with tempfile.TemporaryDirectory() as directory:
                row = measure(stack, precision, peer, seconds, Path(directory))
            rows.append(row)
            cells = []
            for times in row["microseconds"].values():
                cells += [f"{t:.1f}" for t in times] + [f"{stack.macs / times[0] / 1e3:.1f}"]
            ours, theirs = (times[0] for times in row["microseconds"].values())
            report.add_row(stack.name, precision, *cells, f"{ours / theirs:.2f}")
    console.print(report)
    if json_file is not None:
        figures = {"machine": describe(1, None), "layers": rows}
        json_file.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    if not rows:
        console.print("no layer has such a name")
        raise typer.Exit(1)


typer.run(main)
