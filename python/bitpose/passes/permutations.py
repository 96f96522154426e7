# SPDX-License-Identifier: Apache-2.0
"""Permutations of axes: y = transpose(x, p) has y.shape[i] = x.shape[p[i]]."""

from __future__ import annotations

from bitpose.errors import GraphError
from bitpose.ir.graph import Node
from bitpose.ir.names import derived
from bitpose.ir.operators import MAX_RANK
from bitpose.passes.rewriter import integer

Permutation = tuple[int, ...]

TO_NHWC: Permutation = (0, 2, 3, 1)
TO_NCHW: Permutation = (0, 3, 1, 2)


def identity(rank: int) -> Permutation:
    """The permutation that moves nothing."""
    return tuple(range(rank))


def is_identity(p: Permutation) -> bool:
    """Whether p moves nothing."""
    return p == identity(len(p))


def compose(first: Permutation, second: Permutation) -> Permutation:
    """transpose(transpose(x, first), second) = transpose(x, compose(first, second))."""
    return tuple(first[i] for i in second)


def inverse(p: Permutation) -> Permutation:
    """The permutation that undoes p."""
    return tuple(p.index(i) for i in range(len(p)))


def apply(shape: tuple[int, ...], p: Permutation) -> tuple[int, ...]:
    """The shape of transpose(x, p)."""
    return tuple(shape[i] for i in p)


def moves_units_alone(shape: tuple[int, ...], p: Permutation) -> bool:
    """Whether transposing a tensor of this shape leaves its elements in order: a reshape."""
    order = [i for i in p if shape[i] != 1]
    return order == sorted(order)


def axis_groups(
    before: tuple[int, ...], after: tuple[int, ...]
) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """The parts of a reshape that are reshapes by themselves, as small as possible.

    Each is the axes of `before` and those of `after` that they become: (2, 12, 5) to (2, 3, 4, 5)
    is [((0,), (0,)), ((1,), (1, 2)), ((2,), (3,))]. Empty for a tensor of rank 0.
    """
    groups: list[tuple[list[int], list[int]]] = []
    i = j = 0
    while i < len(before) and j < len(after):
        inside, outside, product, wanted = [i], [j], before[i], after[j]
        i, j = i + 1, j + 1
        while product != wanted:
            if product < wanted:
                inside.append(i)
                product, i = product * before[i], i + 1
            else:
                outside.append(j)
                wanted, j = wanted * after[j], j + 1
        groups.append((inside, outside))
    if groups:  # What is left has the extent 1.
        groups[-1][0].extend(range(i, len(before)))
        groups[-1][1].extend(range(j, len(after)))
    return [(tuple(inside), tuple(outside)) for inside, outside in groups]


def attributes(p: Permutation) -> dict[str, int]:
    """The attributes of the engine's operator `transpose`."""
    if len(p) > MAX_RANK:
        raise GraphError(f"a tensor of rank {len(p)} cannot be transposed")
    full = (*p, *range(len(p), MAX_RANK))
    return {f"perm{i}": axis for i, axis in enumerate(full)}


def of_node(node: Node, rank: int) -> Permutation:
    """The permutation of a node `transpose`."""
    return tuple(integer(node, f"perm{i}") for i in range(rank))


def suffix(name: str, p: Permutation) -> str:
    """The name of transpose(name, p): "conv1@0231"."""
    return derived(name, "".join(map(str, p)))
