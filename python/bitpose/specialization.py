# SPDX-License-Identifier: Apache-2.0
"""ONNX networks that can only be compiled once their inputs are there.

A model may leave extents of its inputs free, or take a shape, axes or weights as an input. Both are
known when arrays are there: the network is then compiled for them.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from numpy.typing import NDArray

from bitpose.compiler import compile
from bitpose.errors import UnsupportedModelError

if TYPE_CHECKING:
    from pathlib import Path

Array = NDArray[Any]
Loaded = TypeVar("Loaded")

#: Kinds of feeds that stay compiled.
_KEPT = 4


def is_bindable(error: UnsupportedModelError) -> bool:
    """Whether all that is missing are shapes or values of inputs."""
    return bool(error.problems) and all(problem.bind for problem in error.problems)


class Specializations(Generic[Loaded]):
    """A network, compiled for each kind of feed that it gets; the last 4 are kept.

    Two feeds are of one kind when the shapes of all inputs are equal, and the values of those
    inputs that the compiler asked for. Safe to use from several threads.
    """

    def __init__(
        self, model: bytes | Path, free: Sequence[str], load: Callable[[bytes], Loaded]
    ) -> None:
        """`free` are the inputs that have free extents; `load` makes of a compiled model what
        `find` returns.
        """
        self._model = model
        self._free = free
        self._load = load
        self._bound: set[str] = set()
        """Inputs whose values the compiler needs, as far as is known."""
        self._loaded: OrderedDict[object, Loaded] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, feed: Mapping[str, Array]) -> Loaded:
        """The network for a feed that has every input. Raises as `compile` does."""
        with self._lock:
            key = self._key(feed)
            if key in self._loaded:
                self._loaded.move_to_end(key)
                return self._loaded[key]
            loaded = self._load(self._compiled(feed))
            self._loaded[self._key(feed)] = loaded
            if len(self._loaded) > _KEPT:
                self._loaded.popitem(last=False)
            return loaded

    def _key(self, feed: Mapping[str, Array]) -> object:
        values = tuple((name, feed[name].tobytes()) for name in sorted(self._bound))
        return tuple((name, array.shape) for name, array in feed.items()), values

    def _compiled(self, feed: Mapping[str, Array]) -> bytes:
        """Binds one value after the other, as the compiler asks for them."""
        empty = {name for name, array in feed.items() if array.size == 0}
        while True:
            constants = {name: feed[name] for name in sorted(self._bound | empty)}
            shapes = {name: feed[name].shape for name in self._free if name not in constants}
            try:
                return compile(self._model, shapes=shapes, constants=constants).to_bytes()
            except UnsupportedModelError as error:
                wanted = {name for problem in error.problems for name in problem.bind}
                if not is_bindable(error) or wanted <= self._bound:
                    raise
                self._bound |= wanted
