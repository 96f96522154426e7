# SPDX-License-Identifier: Apache-2.0
"""Every registered kernel against the portable one of its family: no kernel can be untested."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitpose import _core
from bitpose.errors import InputError

KERNELS = _core.kernels()
SEEDS = 40


@pytest.mark.parametrize(("family", "name", "isa", "runs"), KERNELS, ids=[k[1] for k in KERNELS])
def test_gives_the_bits_of_the_portable_kernel(
    family: str, name: str, isa: str, runs: bool
) -> None:
    if not runs:
        with pytest.raises(InputError, match=f"cannot run {name}"):
            _core.compare_kernel(family, name, 0)
        pytest.skip(f"this CPU has no {isa}")

    @given(seeds=st.lists(st.integers(0, 2**64 - 1), min_size=SEEDS, max_size=SEEDS))
    def compare(seeds: list[int]) -> None:
        for seed in seeds:
            assert _core.compare_kernel(family, name, seed) == "", f"seed {seed}"

    compare()


@pytest.mark.parametrize(("family", "name", "isa", "runs"), KERNELS, ids=[k[1] for k in KERNELS])
def test_names_follow_the_grammar(family: str, name: str, isa: str, runs: bool) -> None:
    assert re.fullmatch(rf"{family}_\w+__{isa}", name)


def test_each_family_has_a_portable_kernel() -> None:
    families = {family for family, *_ in KERNELS}
    assert families == {family for family, _, isa, runs in KERNELS if isa == "scalar" and runs}


def test_unknown_kernels() -> None:
    with pytest.raises(InputError, match="no kernel lut_x8/none"):
        _core.compare_kernel("lut_x8", "none", 0)
    with pytest.raises(InputError, match="no kernel none/lut_x8_1__scalar"):
        _core.compare_kernel("none", "lut_x8_1__scalar", 0)


def test_every_kernel_has_shapes_to_be_timed_on() -> None:
    expected = {name for _, name, isa, runs in _core.kernels() if runs and isa != "test"}
    times = _core.time_kernels("", 1, 0.0, None)
    assert {row["kernel"] for row in times} == expected
    assert all(row["portable_seconds"] > 0 for row in times)
    with pytest.raises(InputError, match="samples"):
        _core.time_kernels("", 0, 0.0, None)
