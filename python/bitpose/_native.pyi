# SPDX-License-Identifier: Apache-2.0
"""Hot loops of the Python package, in Cython. The same bytes on every machine."""

import numpy as np
from numpy.typing import NDArray

def resize_bilinear(picture: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Scales a picture [H, W, C] to [height, width, C].

    Along an axis of m input and n output positions, input j has in output i a weight proportional
    to max(0, 2 * max(m, n) - |(2 * j + 1) * n - (2 * i + 1) * m|): a triangle as wide as two pixels
    of the coarser picture, so shrinking averages over all that is left out. The weights of an
    output are scaled to the sum 2^14 and rounded down where they accumulate. Columns are made first
    and keep 6 fraction bits; both passes round half up.

    `picture` must be contiguous. Raises ValueError for an empty axis or one above 2^20.
    """
