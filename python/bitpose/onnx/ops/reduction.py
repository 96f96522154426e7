# SPDX-License-Identifier: Apache-2.0
"""Reductions along any axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bitpose.ir.graph import Tensor
from bitpose.ir.operators import REDUCTIONS
from bitpose.onnx.builder import Builder, Ints
from bitpose.onnx.ops.shaping import transposed
from bitpose.onnx.registry import onnx_operator

_INTEGERS = ("int8", "uint8", "int16", "int32", "int64")


def reduce(b: Builder, function: str, x: Tensor, axes: Sequence[int]) -> Tensor:
    """A function of REDUCTIONS over axes counted from the front, which get extent 1."""
    op = "reduce_f32" if x.dtype == np.float32 else "reduce_integer"
    mask = sum(1 << axis for axis in set(axes))
    return b.engine(op, [x], x.dtype, function=REDUCTIONS.index(function), axes=mask)


def _log_sum(b: Builder, x: Tensor, axes: Sequence[int]) -> Tensor:
    total = reduce(b, "Sum", x, axes)
    return b.emit("Log", [total], total.shape)


def _log_sum_exp(b: Builder, x: Tensor, axes: Sequence[int]) -> Tensor:
    """m + log(sum(exp(x - m))) with m the largest element, kept finite."""
    most = reduce(b, "Max", x, axes)
    limits = np.finfo(np.float32)
    low, high = float(limits.min), float(limits.max)
    finite = b.emit("Clip", [most], most.shape, low=low, high=high)
    difference = b.emit("Sub", [x, finite], x.shape)
    exponential = b.emit("Exp", [difference], x.shape)
    return b.emit("Add", [_log_sum(b, exponential, axes), finite], finite.shape)


def _mean(b: Builder, x: Tensor, axes: Sequence[int]) -> Tensor:
    """Over height and width of pictures it is an average pool, which works on 8 bits too."""
    if x.dtype == np.float32 and len(x.shape) == 4 and axes == [2, 3]:
        return _global_average(b, x)
    if x.dtype == np.float32 and len(x.shape) == 4 and axes == [1, 2]:
        return transposed(b, _global_average(b, transposed(b, x, (0, 3, 1, 2))), (0, 2, 3, 1))
    return reduce(b, "Mean", x, axes)


def _global_average(b: Builder, x: Tensor) -> Tensor:
    return b.emit(
        "AveragePool",
        [x],
        (*x.shape[:2], 1, 1),
        kernel=x.shape[2:],
        strides=(1, 1),
        dilations=(1, 1),
        pads=(0, 0, 0, 0),
        count_include_pad=0,
    )


_Lowering = Callable[[Builder, Tensor, Sequence[int]], Tensor]

#: Those that are not one operator of the engine.
_LOWERED: dict[str, _Lowering] = {"LogSum": _log_sum, "LogSumExp": _log_sum_exp, "Mean": _mean}
#: Dtypes beside float32, by function.
_DTYPES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("Min", "Max"), (*_INTEGERS, "bool")),
    **dict.fromkeys(("Sum", "Mean", "Prod", "L1", "SumSquare"), _INTEGERS),
    **dict.fromkeys(("L2", "LogSum", "LogSumExp"), ()),
}


def _reduced(
    b: Builder, function: str, x: Tensor, axes: Ints | None, keepdims: int, noop: int = 0
) -> Tensor:
    b.require_dtype(x, "the operand", "float32", *_DTYPES[function])
    rank = len(x.shape)
    if not axes and noop:
        return x
    chosen = sorted({b.axis(axis, rank) for axis in axes or range(rank)})
    if not chosen:  # A scalar is a series of one element.
        x, chosen = b.reshape(x, (1,)), [0]
    lowered = _LOWERED.get(function)
    y = reduce(b, function, x, chosen) if lowered is None else lowered(b, x, chosen)
    if keepdims and rank:
        return y
    return b.reshape(y, [n for axis, n in enumerate(x.shape) if axis not in chosen])


def _register(function: str, last_by_attribute: int) -> None:
    """Reduce<function>: the axes are an attribute up to an opset, an operand from then on."""

    def by_attribute(
        b: Builder, x: Tensor, *, axes: Ints | None = None, keepdims: int = 1
    ) -> Tensor:
        return _reduced(b, function, x, axes, keepdims)

    def by_operand(
        b: Builder,
        x: Tensor,
        axes: Tensor | None = None,
        *,
        keepdims: int = 1,
        noop_with_empty_axes: int = 0,
    ) -> Tensor:
        chosen = None if axes is None else b.ints(axes, "axes")
        return _reduced(b, function, x, chosen, keepdims, noop_with_empty_axes)

    dtypes = ", ".join(("float32", *_DTYPES[function]))
    for meaning, first, last in ((by_attribute, 7, last_by_attribute), (by_operand, None, None)):
        meaning.__name__ = f"Reduce{function}_{first or last_by_attribute + 1}"
        constant = "Any axes" if meaning is by_attribute else "Constant axes"
        meaning.__doc__ = f"{constant}; {dtypes}."
        if first is not None and last is not None:
            onnx_operator(first, last)(meaning)
        else:
            onnx_operator(last_by_attribute + 1)(meaning)


for _function in _DTYPES:
    _register(_function, 12 if _function == "Sum" else 17)


def _arg(
    b: Builder, x: Tensor, axis: int, keepdims: int, select_last_index: int, smallest: int
) -> Tensor:
    b.require_dtype(x, "the operand", "float32", "int8", "uint8", "int32")
    axis = b.axis(axis, len(x.shape))
    kept = (1,) if keepdims else ()
    shape = (*x.shape[:axis], *kept, *x.shape[axis + 1 :])
    return b.emit(
        "ArgMax",
        [x],
        shape,
        np.int64,
        axis=axis,
        keepdims=len(kept),
        select_last_index=int(bool(select_last_index)),
        smallest=smallest,
    )


@onnx_operator(7)
def ArgMax(
    b: Builder, x: Tensor, *, axis: int = 0, keepdims: int = 1, select_last_index: int = 0
) -> Tensor:
    """float32, 8-bit or int32."""
    return _arg(b, x, axis, keepdims, select_last_index, smallest=0)


@onnx_operator(7)
def ArgMin(
    b: Builder, x: Tensor, *, axis: int = 0, keepdims: int = 1, select_last_index: int = 0
) -> Tensor:
    """float32, 8-bit or int32."""
    return _arg(b, x, axis, keepdims, select_last_index, smallest=1)


def _top_k(
    b: Builder, x: Tensor, k: int, axis: int, largest: int, computed: Tensor | None = None
) -> list[Tensor]:
    """The best k, or as many of them as `computed` says."""
    axis = b.axis(axis, len(x.shape))
    if k < 1 or not (k <= x.shape[axis] or computed is not None or axis in x.open_axes):
        b.invalid(f"k is {k} for axis {axis} of {list(x.shape)}")
    attributes = {"axis": axis, "k": k, "largest": int(bool(largest))}
    indices = b.engine("topk", [x], np.int64, None, **attributes)
    if computed is not None:
        indices = b.narrow(indices, axis, computed)
    return [b.engine("gather_elements", [x, indices], x.dtype, axis=axis), indices]


@onnx_operator(7, 9)
def TopK_1(b: Builder, x: Tensor, *, k: int, axis: int = -1) -> list[Tensor]:
    """Any. Of equals the lower index comes first."""
    return _top_k(b, x, k, axis, 1)


@onnx_operator(10)
def TopK_10(
    b: Builder, x: Tensor, k: Tensor, *, axis: int = -1, largest: int = 1, sorted: int = 1
) -> list[Tensor]:
    """k constant or computed from shapes. The results are sorted; of equals the lower index comes
    first."""
    if k.elements != 1:
        b.invalid(f"k has shape {list(k.shape)}")
    ((least, most),) = b.bounded_ints(k, "k")
    return _top_k(b, x, most, axis, largest, None if least == most else k)


@onnx_operator(11)
def CumSum(b: Builder, x: Tensor, axis: Tensor, *, exclusive: int = 0, reverse: int = 0) -> Tensor:
    """float32, int32 or int64, constant axis."""
    b.require_dtype(x, "the operand", "float32", "int32", "int64")
    along = b.axis(b.ints(axis, "axis")[0], len(x.shape))
    flags = {"exclusive": int(bool(exclusive)), "reverse": int(bool(reverse))}
    return b.engine("cumulative_sum", [x], x.dtype, None, axis=along, **flags)
