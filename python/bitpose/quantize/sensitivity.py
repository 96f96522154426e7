# SPDX-License-Identifier: Apache-2.0
"""What rounding each tensor of a network does to the network's outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.ir.elementary import total
from bitpose.ir.graph import Graph, Tensor
from bitpose.ir.names import derived
from bitpose.passes.rewriter import Rewriter
from bitpose.quantize.calibration import Feed, Runner
from bitpose.quantize.codes import Codes

Array = NDArray[Any]
Float = NDArray[np.float64]


class Sensitivity:
    """A float network in which every point can be rounded to its codes, or not.

    Each run says for some of the points that they are rounded: `before -> after` is

        x = op(...)   ->   x = op(...) + switch * (D(Q(op(...))) - op(...))

    with a switch for each point that is an input of the network.
    """

    def __init__(
        self,
        graph: Graph,
        codes: Mapping[str, Codes],
        feeds: Sequence[Feed],
        exact: Sequence[Mapping[str, Array]],
    ) -> None:
        """`exact` has the tensors to be measured, as the float network gives them for each feed."""
        self._names = list(exact[0])
        self._feeds = feeds
        self._exact = [
            [values[name].astype(np.float64).reshape(-1) for name in self._names]
            for values in exact
        ]
        switched = _switched(graph, codes)
        self._off = {
            name: np.zeros(switched.tensor(_switch(name)).shape, np.float32) for name in codes
        }
        self._runner = Runner(switched, self._names)

    def noise(self, rounded: Iterable[str]) -> Float:
        """The energy of each tensor's error, over all feeds, when these points are rounded."""
        chosen = set(rounded)
        switches = {
            _switch(name): np.ones_like(off) if name in chosen else off
            for name, off in self._off.items()
        }
        noise = self._nothing()
        for feed, exact in zip(self._feeds, self._exact, strict=True):
            got = self._runner.run({**feed, **switches})
            noise += self._energies(
                [x - got[name].reshape(-1) for x, name in zip(exact, self._names, strict=True)]
            )
        return noise

    def _nothing(self) -> Float:
        return np.zeros(len(self._names))

    @staticmethod
    def _energies(values: Sequence[Float]) -> Float:
        return np.array([float(total(x * x)) for x in values])


def _switch(name: str) -> str:
    return derived(name, "switch")


def _switched(graph: Graph, codes: Mapping[str, Codes]) -> Graph:
    r = Rewriter(graph)
    for name in graph.inputs:
        if name in codes:
            r.substitute(name, _emit(r, name, derived(name, "rounded"), name, codes[name]))
    for node in graph.nodes:
        y = r.tensor(node.outputs[0])
        if y.name not in codes:
            r.keep(node)
            continue
        raw = replace(y, name=derived(y.name, "exact"))
        r.emit(node.op, [r.resolve(x) for x in node.inputs], raw, **node.attributes)
        _emit(r, raw.name, y.name, y.name, codes[y.name])
    switches = {_switch(name): r.tensors[_switch(name)] for name in codes}
    result = r.finish()
    return replace(
        result,
        inputs=(*graph.inputs, *switches),
        tensors={**result.tensors, **switches},
    )


def _emit(r: Rewriter, x: str, result: str, point: str, codes: Codes) -> str:
    """Emits result = x + switch * (D(Q(x)) - x)."""
    like = r.tensors[x]

    def step(op: str, a: str, b: str, what: str) -> str:
        return r.emit(op, [a, b], replace(like, name=derived(result, what)))

    switch = Tensor(_switch(point), like.dtype, (1,) * len(like.shape))
    r.tensors[switch.name] = switch
    # One scale suits the engine; those of channels are taken out before and put back behind.
    per_channel = (1, -1) + (1,) * (len(like.shape) - 2) if codes.scale.ndim else ()
    unit = np.reshape(codes.scale, per_channel)
    scale = r.constant(derived(result, "scale"), np.array(1.0, np.float32))
    zero_point = r.constant(derived(result, "zero_point"), codes.zero_point.reshape(-1)[0])
    steps = step("Div", x, r.constant(derived(result, "unit"), unit), "steps")
    integers = Tensor(derived(result, "codes"), np.dtype(np.int8), like.shape)
    r.emit("QuantizeLinear", [steps, scale, zero_point], integers, axis=1)
    back = replace(like, name=derived(result, "back"))
    r.emit("DequantizeLinear", [integers.name, scale, zero_point], back, axis=1)
    rounded = step("Mul", back.name, derived(result, "unit"), "rounded")
    error = step("Sub", rounded, x, "error")
    part = step("Mul", error, switch.name, "part")
    return r.emit("Add", [x, part], replace(like, name=result))
