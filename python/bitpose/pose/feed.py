# SPDX-License-Identifier: Apache-2.0
"""Pictures as inputs of networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bitpose.errors import InputError
from bitpose.pose.photo import Picture

if TYPE_CHECKING:
    from bitpose.session import NodeArg

Array = NDArray[Any]
#: One number for all channels or one for each.
PerChannel = float | tuple[float, float, float]


@dataclass(frozen=True)
class Pixels:
    """How pixels 0..255 become the numbers of a float input: (pixel - offset) / divisor.

    Offsets and divisors of channels are in the order in which the network takes the channels.
    """

    bgr: bool = False
    offset: PerChannel = 0.0
    divisor: PerChannel = 255.0

    def apply(self, picture: Picture, dtype: np.dtype[Any]) -> Array:
        """A picture [H, W, 3] as an input [1, H, W, 3]; integer inputs take the pixels as is."""
        pixels: Array = picture[..., ::-1] if self.bgr else picture
        if dtype.kind == "f":
            offset, divisor = (np.asarray(x, np.float32) for x in (self.offset, self.divisor))
            pixels = (pixels.astype(np.float32) - offset) / divisor
        return np.ascontiguousarray(pixels[None].astype(dtype, copy=False))


#: Those of ImageNet's mean and deviation, which most networks from PyTorch take.
IMAGENET = Pixels(False, (123.675, 116.28, 103.53), (58.395, 57.12, 57.375))


@dataclass(frozen=True)
class PictureInput:
    """The only input of a network, a picture [1, H, W, 3] or [1, 3, H, W]."""

    name: str
    height: int
    width: int
    dtype: np.dtype[Any]
    channels_last: bool

    @classmethod
    def of(cls, inputs: Sequence[NodeArg]) -> PictureInput:
        """Raises InputError for a network with other inputs, or one whose extents are free."""
        if len(inputs) != 1 or len(inputs[0].shape) != 4 or 3 not in inputs[0].shape[1::2]:
            shapes = ", ".join(f"{x.name} {x}" for x in inputs)
            raise InputError(
                f"a picture needs one input [1, height, width, 3] or [1, 3, height, width], "
                f"this network has {shapes}; use bitpose.InferenceSession for other inputs"
            )
        source = inputs[0]
        channels_last = source.shape[3] == 3
        height, width = source.extents[1:3] if channels_last else source.extents[2:4]
        return cls(source.name, height, width, source.dtype, channels_last)

    def feed(self, picture: Picture, pixels: Pixels) -> dict[str, Array]:
        """A picture uint8 [H, W, 3], RGB, in the network's format and layout."""
        x = pixels.apply(picture, self.dtype)
        return {self.name: x if self.channels_last else x.transpose(0, 3, 1, 2)}
