# SPDX-License-Identifier: Apache-2.0
"""From float networks to quantized ones.

`points` says which tensors become int8, `calibration` looks at them, `observers` chooses ranges,
`bias_correction` mends what rounding shifts, `sensitivity` measures what rounding each tensor costs
and `mixed` leaves some in float for it, `insert` writes the result down as QuantizeLinear and
DequantizeLinear, which the passes turn into integer operators as they do with any QDQ model.
"""

from bitpose.quantize.mixed import share_in_float
from bitpose.quantize.quantizer import Options, quantize
from bitpose.quantize.widen import widen

__all__ = ["Options", "quantize", "share_in_float", "widen"]
