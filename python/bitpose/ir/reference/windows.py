# SPDX-License-Identifier: Apache-2.0
"""Sliding windows over NHWC pictures, and the source coordinates of a resize."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Window:
    """The extents of a kernel and how it moves over a padded picture.

    The fields are the attributes of convolutions and pools.
    """

    kernel_h: int
    kernel_w: int
    stride_h: int
    stride_w: int
    pad_top: int
    pad_left: int
    pad_bottom: int
    pad_right: int
    dilation_h: int
    dilation_w: int

    def padded(self, x: Array, value: float) -> Array:
        """[N, H, W, C] with `value` around each picture."""
        margins = (
            (0, 0),
            (self.pad_top, self.pad_bottom),
            (self.pad_left, self.pad_right),
            (0, 0),
        )
        return np.pad(x, margins, constant_values=value)

    def taps(self, padded: Array, output_shape: tuple[int, ...]) -> Iterator[Array]:
        """For each tap in row order, the pixels under it: [N, OH, OW, C] of `output_shape`."""
        _, height, width, _ = output_shape
        for ky in range(self.kernel_h):
            top = ky * self.dilation_h
            rows = slice(top, top + (height - 1) * self.stride_h + 1, self.stride_h)
            for kx in range(self.kernel_w):
                left = kx * self.dilation_w
                columns = slice(left, left + (width - 1) * self.stride_w + 1, self.stride_w)
                yield padded[:, rows, columns]

    def valid_taps(self, x: Array, output_shape: tuple[int, ...]) -> Iterator[Array]:
        """For each tap in row order, where it lies on the picture and not on padding."""
        inside = np.ones((1, x.shape[1], x.shape[2], 1), bool)
        return self.taps(self.padded(inside, False), output_shape)

    def counts(
        self, x: Array, output_shape: tuple[int, ...], include_pad: bool
    ) -> NDArray[np.float32]:
        """How many taps an average divides by, per output pixel; 1 where there are none."""
        taps = self.kernel_h * self.kernel_w
        if include_pad:
            return np.full((1, 1, 1, 1), taps, np.float32)
        count = np.zeros((1, *output_shape[1:3], 1), np.float32)
        for valid in self.valid_taps(x, output_shape):
            count += valid
        return np.maximum(count, np.float32(1))


@dataclass(frozen=True, eq=False)
class Phase:
    """Outputs of a transposed convolution that see the same taps, y[:, rows, columns].

    `taps` are indices of the filter's taps, last first, and `pixels` what lies under each.
    """

    rows: slice
    columns: slice
    taps: list[int]
    pixels: list[Array]


@dataclass(frozen=True)
class TransposedWindow(Window):
    """A window that moves over the output."""

    output_padding_h: int = 0
    output_padding_w: int = 0

    def phases(self, x: Array, output_shape: tuple[int, ...], padding: float) -> Iterator[Phase]:
        """Every phase of an output of `output_shape`; where a tap has no input is `padding`."""
        _, height, width, _ = output_shape
        for top in range(min(self.stride_h, height)):
            for left in range(min(self.stride_w, width)):
                rows, columns = slice(top, None, self.stride_h), slice(left, None, self.stride_w)
                taps, pixels = [], []
                for tap in reversed(range(self.kernel_h * self.kernel_w)):
                    ky, kx = divmod(tap, self.kernel_w)
                    y = np.arange(height)[rows] + self.pad_top - ky * self.dilation_h
                    z = np.arange(width)[columns] + self.pad_left - kx * self.dilation_w
                    if y[0] % self.stride_h == 0 and z[0] % self.stride_w == 0:
                        taps.append(tap)
                        line = _take(x, y // self.stride_h, 1, padding)
                        pixels.append(_take(line, z // self.stride_w, 2, padding))
                yield Phase(rows, columns, taps, pixels)


def _take(x: Array, indices: NDArray[np.intp], axis: int, padding: float) -> Array:
    """x at `indices` along an axis, and `padding` outside."""
    inside = (indices >= 0) & (indices < x.shape[axis])
    taken = x.take(np.where(inside, indices, 0), axis)
    shape = [-1 if i == axis else 1 for i in range(x.ndim)]
    return np.where(inside.reshape(shape), taken, x.dtype.type(padding))


@dataclass(frozen=True)
class Line:
    """Linear interpolation along one axis: output i lies between inputs low[i] and high[i]."""

    low: NDArray[np.intp]
    high: NDArray[np.intp]
    fraction: NDArray[np.float32]  # In [0, 1): the weight of `high`.

    def weights(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Of low and high. At the last input both are that input, and both weigh 0.5."""
        last = self.low == self.high
        high = np.where(last, np.float32(0.5), self.fraction)
        return np.where(last, np.float32(0.5), np.float32(1) - self.fraction), high


HALF_PIXEL, ASYMMETRIC, ALIGN_CORNERS = range(3)


def resize_line(inputs: int, outputs: int, scale: float, coordinate_mode: int) -> Line:
    """Where the outputs of a resize lie on an axis; each operation rounds once to float32."""
    i = np.arange(outputs, dtype=np.float32)
    if coordinate_mode == HALF_PIXEL:
        x = (i + np.float32(0.5)) / np.float32(scale) - np.float32(0.5)
    elif coordinate_mode == ASYMMETRIC:
        x = i / np.float32(scale)
    elif outputs == 1:
        x = np.zeros(1, np.float32)
    else:
        x = i * np.float32(inputs - 1) / np.float32(outputs - 1)
    x = np.clip(x, np.float32(0), np.float32(inputs - 1))
    low = np.floor(x)
    index = low.astype(np.intp)
    return Line(index, np.minimum(index + 1, inputs - 1), x - low)
