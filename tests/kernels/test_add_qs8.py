# SPDX-License-Identifier: Apache-2.0
"""add_qs8 against its formula in numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitpose import _core
from bitpose.errors import InputError

from .problems import GENERATORS, Generator, Range, codes, kernels, ranges

MULTIPLIERS = st.integers(-32767, 32767)


@pytest.mark.parametrize("kernel", kernels("add_qs8"))
@given(
    n=st.integers(0, 200),
    scalar=st.booleans(),
    a_multiplier=MULTIPLIERS,
    b_multiplier=MULTIPLIERS,
    bias=st.integers(-(2**24), 2**24),
    multiplier=st.floats(2.0**-30, 8.0, width=32),
    y=ranges(),
    generator=GENERATORS,
)
def test_formula(
    kernel: str,
    n: int,
    scalar: bool,
    a_multiplier: int,
    b_multiplier: int,
    bias: int,
    multiplier: float,
    y: Range,
    generator: Generator,
) -> None:
    a, b = codes(generator, n), codes(generator, 1 if scalar else n)
    got = _core.add_qs8(
        kernel, a, b, a_multiplier, b_multiplier, bias, multiplier, y.zero_point, y.qmin, y.qmax
    )
    acc = a.astype(np.int64) * a_multiplier + b.astype(np.int64) * b_multiplier + bias
    np.testing.assert_array_equal(got, y.requantize(acc, multiplier))


def test_operands_are_checked() -> None:
    (kernel, *_) = kernels("add_qs8")
    three, four = np.zeros(3, np.int8), np.zeros(4, np.int8)
    with pytest.raises(InputError, match="as many b as a"):
        _core.add_qs8(kernel, three, four, 1, 1, 0, 1.0, 0, -128, 127)
    with pytest.raises(TypeError):
        _core.add_qs8(kernel, three.astype(np.int16), three, 1, 1, 0, 1.0, 0, -128, 127)
