# SPDX-License-Identifier: Apache-2.0
"""Many targets as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")


def stacked(many: Sequence[T]) -> T:
    """A dataclass of arrays, or of more such, whose arrays have those of `many` along a first
    axis."""
    first: Any = many[0]
    values = {}
    for field in fields(first):
        column = [getattr(one, field.name) for one in many]
        values[field.name] = stacked(column) if is_dataclass(column[0]) else np.stack(column)
    result: T = type(first)(**values)
    return result
