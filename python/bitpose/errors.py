# SPDX-License-Identifier: Apache-2.0
"""The exceptions of bitpose. Every one derives from BitposeError."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class BitposeError(Exception):
    """Base of every error that bitpose raises on purpose."""


class InvalidModelError(BitposeError):
    """A model that breaks the rules of its own format: damaged, truncated or contradictory."""


class UnsafeFileError(InvalidModelError):
    """A file that asks for code to be run or for what no such file needs. Nothing of it was run."""


class GraphError(BitposeError):
    """An internal graph that breaks an invariant: a fault of bitpose, not of the model."""


class InputError(BitposeError, ValueError):
    """Arguments that do not fit: a wrong name, shape, dtype or value."""


@dataclass(frozen=True)
class Unsupported:
    """One thing in a model that bitpose cannot compile.

    `opset` is 0 where no operator set applies.
    """

    node: str
    op: str
    opset: int
    problem: str
    supported: str
    bind: tuple[str, ...] = ()
    """Inputs whose shapes or values, known when compiling, might solve it."""

    def __str__(self) -> str:
        version = f" (opset {self.opset})" if self.opset else ""
        return f"{self.op}{version} {self.node!r}: {self.problem}; supported: {self.supported}"


class UnsupportedModelError(BitposeError):
    """A valid model that needs what bitpose does not have. The importer lists everything at once;
    the engine, which stops at the first, gives a message and no list.
    """

    def __init__(self, problems: Sequence[Unsupported] | str) -> None:
        if isinstance(problems, str):
            self.problems: tuple[Unsupported, ...] = ()
            super().__init__(problems)
            return
        self.problems = tuple(problems)
        noun = "thing" if len(self.problems) == 1 else "things"
        lines = [f"the model needs {len(self.problems)} {noun} that bitpose does not support:"]
        super().__init__("\n  ".join([*lines, *map(str, self.problems)]))
