# SPDX-License-Identifier: Apache-2.0
"""What rounding each tensor of a network does to the network's outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice

import numpy as np

from bitpose.ir.graph import Graph, Tensor
from bitpose.ir.names import derived
from bitpose.passes.rewriter import Rewriter
from bitpose.quantize.calibration import Runner
from bitpose.quantize.codes import Codes
from bitpose.quantize.yardsticks import Array, Float, Yardsticks

#: Points of one network with switches: fewer cost more compilation, more cost longer runs.
_TOGETHER = 40


class Sensitivity:
    """A float network in which every point can be rounded to its codes, or not.

    Each run says which point is rounded: `before -> after` is

        x = op(...)   ->   x = op(...) + switch * (D(Q(op(...))) - op(...))

    with a switch for each point that is an input of the network.
    """

    def __init__(self, graph: Graph, codes: Mapping[str, Codes], exact: Yardsticks) -> None:
        """`exact` says what is measured."""
        self._graph = graph
        self._codes = codes
        self._exact = exact
        self._switched: tuple[Runner, Mapping[str, Array]] | None = None

    def noise(self, name: str) -> Float:
        """The energy of each yardstick's error, over all feeds, when this point is rounded.

        It is quickest for one point after the other in the order of `codes`.
        """
        if self._switched is None or _switch(name) not in self._switched[1]:
            self._switched = self._with_switches(name)
        runner, off = self._switched
        switch = _switch(name)
        return self._exact.noise(runner, {**off, switch: np.ones_like(off[switch])})

    def _with_switches(self, name: str) -> tuple[Runner, Mapping[str, Array]]:
        """The network with switches for some points, this one among them, which are off."""
        first = list(self._codes).index(name) // _TOGETHER * _TOGETHER
        some = dict(islice(self._codes.items(), first, first + _TOGETHER))
        graph = _switched(self._graph, some)
        off = {
            switch: np.zeros(graph.tensor(switch).shape, np.float32)
            for switch in map(_switch, some)
        }
        return Runner(graph, self._exact.names), off


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
    parameters = (
        r.constant(derived(result, "scale"), codes.scale),
        r.constant(derived(result, "zero_point"), codes.zero_point),
    )
    integers = Tensor(derived(result, "codes"), np.dtype(np.int8), like.shape)
    r.emit("QuantizeLinear", [x, *parameters], integers, axis=1)
    rounded = replace(like, name=derived(result, "rounded"))
    r.emit("DequantizeLinear", [integers.name, *parameters], rounded, axis=1)
    error = step("Sub", rounded.name, x, "error")
    part = step("Mul", error, switch.name, "part")
    return r.emit("Add", [x, part], replace(like, name=result))
