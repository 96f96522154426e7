# SPDX-License-Identifier: Apache-2.0
"""Where the windows of convolutions and pools lie.

Everything here is 2-D. A tensor [N, C, W] is a picture of height 1, along which no window moves.
"""

from __future__ import annotations

from dataclasses import dataclass

from bitpose.ir.graph import Tensor
from bitpose.ir.shapes import window_extent
from bitpose.onnx.builder import Builder, Ints
from bitpose.onnx.ops import pad

Pair = tuple[int, int]
#: Top, left, bottom, right.
Pads = tuple[int, int, int, int]


@dataclass(frozen=True)
class Window:
    """The taps of a window and how it moves over a picture."""

    kernel: Pair
    strides: Pair
    dilations: Pair
    pads: Pads

    @property
    def reach(self) -> Pair:
        """From the first tap to the last."""
        return (
            self.dilations[0] * (self.kernel[0] - 1),
            self.dilations[1] * (self.kernel[1] - 1),
        )

    def outputs(self, b: Builder, extents: Pair) -> Pair:
        """Height and width of the result; a window that fits nowhere is an error of the model."""
        height, width = (
            window_extent(
                extents[i],
                self.kernel[i],
                self.strides[i],
                self.pads[i],
                self.pads[2 + i],
                self.dilations[i],
            )
            for i in range(2)
        )
        if height < 1 or width < 1:
            b.invalid(f"kernel {list(self.kernel)} does not fit a picture of {list(extents)}")
        return height, width


def spatial_rank(b: Builder, x: Tensor) -> int:
    """1 for [N, C, W] and 2 for [N, C, H, W]; refuses other ranks."""
    if len(x.shape) not in (3, 4):
        b.refuse(f"the operand has shape {list(x.shape)}", "rank 3 [N, C, W] or 4 [N, C, H, W]")
    return len(x.shape) - 2


def as_picture(b: Builder, x: Tensor) -> Tensor:
    """[N, C, W] as [N, C, 1, W]; anything else as it is."""
    return b.reshape(x, (*x.shape[:2], 1, x.shape[2])) if len(x.shape) == 3 else x


def pair(b: Builder, values: Ints | None, what: str, rank: int, default: int = 1) -> Pair:
    """An attribute with a number for each of 1 or 2 axes; along the height of 1-D, `default`."""
    if values is None:
        return default, default
    if len(values) != rank or min(values) < default:
        b.invalid(f"{what} is {list(values)}")
    return (default, values[0]) if rank == 1 else (values[0], values[1])


def four(b: Builder, pads: Ints | None, rank: int) -> Pads:
    """The attribute pads; refuses what is negative."""
    if pads is None:
        return 0, 0, 0, 0
    if len(pads) != 2 * rank:
        b.invalid(f"pads are {list(pads)}")
    if min(pads) < 0:
        b.refuse(f"pads are {list(pads)}", "pads from 0")
    return (0, pads[0], 0, pads[1]) if rank == 1 else (pads[0], pads[1], pads[2], pads[3])


def resolve(
    b: Builder,
    extents: Pair,
    rank: int,
    kernel: Pair,
    strides: Ints | None,
    dilations: Ints | None,
    auto_pad: str,
    pads: Ints | None,
) -> Window:
    """The window that the attributes of an operator mean."""
    step, gaps = pair(b, strides, "strides", rank), pair(b, dilations, "dilations", rank)
    window = Window(kernel, step, gaps, (0, 0, 0, 0))
    if auto_pad == "NOTSET":
        around = four(b, pads, rank)
    elif auto_pad == "VALID":
        return window
    else:
        totals = [
            max(0, (-(-extents[i] // step[i]) - 1) * step[i] + window.reach[i] + 1 - extents[i])
            for i in range(2)
        ]
        around = divided(b, (totals[0], totals[1]), auto_pad)
    return Window(kernel, step, gaps, around)


def divided(b: Builder, totals: Pair, auto_pad: str) -> Pads:
    """Padding of each axis in two halves, the larger one where `auto_pad` wants it."""
    if auto_pad not in ("SAME_UPPER", "SAME_LOWER"):
        b.invalid(f"auto_pad is {auto_pad!r}")
    small = (totals[0] // 2, totals[1] // 2)
    large = (totals[0] - small[0], totals[1] - small[1])
    return (*small, *large) if auto_pad == "SAME_UPPER" else (*large, *small)


def attributes(window: Window) -> dict[str, int]:
    """A window as operators of the engine have it, without the kernel."""
    found = {}
    for i, axis in enumerate("hw"):
        found[f"stride_{axis}"] = window.strides[i]
        found[f"dilation_{axis}"] = window.dilations[i]
    sides = ("top", "left", "bottom", "right")
    return found | {f"pad_{side}": amount for side, amount in zip(sides, window.pads, strict=True)}


def like(b: Builder, y: Tensor, x: Tensor) -> Tensor:
    """A result [N, C, 1, W] in the rank of the operand."""
    return b.reshape(y, (*y.shape[:2], y.shape[3])) if len(x.shape) == 3 else y


def without_excess(b: Builder, x: Tensor, window: Window) -> tuple[Tensor, Pads]:
    """The picture, padded where the padding exceeds the window's reach, and the padding left."""
    top, left, bottom, right = window.pads
    height, width = window.reach
    kept = (min(top, height), min(left, width), min(bottom, height), min(right, width))
    excess = (top - kept[0], left - kept[1], bottom - kept[2], right - kept[3])
    return padded(b, x, excess), kept


def padded(b: Builder, x: Tensor, pads: Pads) -> Tensor:
    """A picture with zeros around it."""
    return pad.padded(b, x, (0, 0, *pads[:2], 0, 0, *pads[2:]))
