# SPDX-License-Identifier: Apache-2.0
"""lut_x8 against numpy's indexing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitpose import _core

from .problems import GENERATORS, Generator, kernels


@pytest.mark.parametrize("kernel", kernels("lut_x8"))
@given(n=st.integers(0, 300), xor=st.none() | st.integers(0, 255), generator=GENERATORS)
def test_formula(kernel: str, n: int, xor: int | None, generator: Generator) -> None:
    x = generator.integers(0, 256, n).astype(np.uint8)
    table = generator.integers(0, 256, 256).astype(np.uint8)
    if xor is not None:
        table = (np.arange(256) ^ xor).astype(np.uint8)
    got = _core.lut_x8(kernel, x, table)
    if got is None:  # Kernels for x ^ constant run no other table.
        assert xor is None
    else:
        np.testing.assert_array_equal(got, table[x])
