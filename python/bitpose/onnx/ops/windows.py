# SPDX-License-Identifier: Apache-2.0
"""Where the windows of convolutions and pools lie."""

from __future__ import annotations

from bitpose.ir.graph import Tensor
from bitpose.ir.shapes import window_extent
from bitpose.onnx.builder import Builder, Ints


def picture(b: Builder, x: Tensor) -> tuple[int, int]:
    """Height and width of a tensor [N, C, H, W]; refuses other ranks."""
    b.require_rank(x, "the operand", 4, "[N, C, H, W]")
    return x.shape[2], x.shape[3]


def pair(b: Builder, values: Ints | None, what: str, default: int = 1) -> tuple[int, int]:
    """An attribute with one number for the height and one for the width."""
    if values is None:
        return default, default
    if len(values) != 2 or min(values) < 1:
        b.invalid(f"{what} is {list(values)}")
    return values[0], values[1]


def resolve_pads(
    b: Builder,
    extents: tuple[int, int],
    kernel: tuple[int, int],
    strides: tuple[int, int],
    dilations: tuple[int, int],
    auto_pad: str,
    pads: Ints | None,
) -> tuple[int, int, int, int]:
    """Padding (top, left, bottom, right) that `pads` or `auto_pad` means."""
    if auto_pad == "NOTSET":
        top, left, bottom, right = _four(b, pads)
        return top, left, bottom, right
    if auto_pad == "VALID":
        return 0, 0, 0, 0
    if auto_pad not in ("SAME_UPPER", "SAME_LOWER"):
        b.invalid(f"auto_pad is {auto_pad!r}")
    before, after = [], []
    for extent, taps, stride, dilation in zip(extents, kernel, strides, dilations, strict=True):
        outputs = -(-extent // stride)
        total = max(0, (outputs - 1) * stride + dilation * (taps - 1) + 1 - extent)
        small, large = total // 2, total - total // 2
        before.append(small if auto_pad == "SAME_UPPER" else large)
        after.append(large if auto_pad == "SAME_UPPER" else small)
    return before[0], before[1], after[0], after[1]


def _four(b: Builder, pads: Ints | None) -> Ints:
    if pads is not None and len(pads) != 4:
        b.invalid(f"pads are {list(pads)}")
    return (0, 0, 0, 0) if pads is None else pads


def check_pads(
    b: Builder,
    pads: tuple[int, int, int, int],
    kernel: tuple[int, int],
    dilations: tuple[int, int] = (1, 1),
) -> None:
    """Refuses padding that the engine's window walk does not have."""
    reach = [dilation * (taps - 1) for taps, dilation in zip(kernel, dilations, strict=True)]
    if min(pads) < 0 or any(pad > reach[i % 2] for i, pad in enumerate(pads)):
        b.refuse(
            f"pads are {list(pads)} for a kernel of {list(kernel)}",
            "pads from 0 to less than the (dilated) kernel",
        )


def outputs(
    b: Builder,
    extents: tuple[int, int],
    kernel: tuple[int, int],
    strides: tuple[int, int],
    dilations: tuple[int, int],
    pads: tuple[int, int, int, int],
) -> tuple[int, int]:
    """Output height and width; a window that fits nowhere is an error of the model."""
    height, width = (
        window_extent(extents[i], kernel[i], strides[i], pads[i], pads[2 + i], dilations[i])
        for i in range(2)
    )
    if height < 1 or width < 1:
        b.invalid(f"kernel {list(kernel)} does not fit a picture of {list(extents)}")
    return height, width
