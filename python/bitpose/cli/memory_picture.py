# SPDX-License-Identifier: Apache-2.0
"""The memory plan of a network as a picture: who lies where in the arena, and when."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from bitpose.cli.console import size

if TYPE_CHECKING:
    from bitpose._core import PlannedTensor

_WIDTH, _HEIGHT = 1120, 520
_LEFT, _TOP, _BOTTOM = 80, 48, 44
#: Wide enough for a label.
_LABELLED = 56
_TALL = 13
_COLOURS = ("#4e79a7", "#f28e2b", "#59a14f", "#b07aa1", "#76b7b2", "#e15759", "#edc948", "#9c755f")


def draw_memory(tensors: Sequence[PlannedTensor], arena_bytes: int, title: str) -> str:
    """An SVG: steps of the run from left to right, bytes of the arena upwards.

    Tensors that share memory are one rectangle, named after the first of them.
    """
    buffers: dict[tuple[int, int, int], PlannedTensor] = {}
    for t in tensors:
        buffers.setdefault((t.offset, t.first, t.last), t)
    steps = max((t.last for t in tensors), default=0) + 1
    scale = _Scale(steps, arena_bytes)
    shapes = [
        _rectangle(scale, t, _COLOURS[i % len(_COLOURS)]) for i, t in enumerate(buffers.values())
    ]
    return "\n".join([*_frame(scale, title), *shapes, "</svg>"]) + "\n"


class _Scale:
    def __init__(self, steps: int, arena_bytes: int) -> None:
        self.steps = steps
        self.arena_bytes = max(arena_bytes, 1)

    def x(self, step: int) -> float:
        return _LEFT + (_WIDTH - _LEFT - 16) * step / self.steps

    def y(self, byte: int) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * byte / self.arena_bytes


def _frame(scale: _Scale, title: str) -> list[str]:
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="26" font-size="15">{escape(title)}</text>',
    ]
    for tick in range(5):
        byte = scale.arena_bytes * tick // 4
        y = scale.y(byte)
        lines.append(
            f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - 16}" stroke="#ddd"/>'
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{size(byte)}</text>'
        )
    every = max(1, -(-scale.steps // 12))
    for step in range(0, scale.steps, every):
        x = scale.x(step)
        lines.append(f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 18}">{step}</text>')
    middle = (_LEFT + _WIDTH) // 2
    lines.append(
        f'<text x="{middle}" y="{_HEIGHT - 8}" text-anchor="middle">'
        "step: 0 fills the inputs, i runs operator i</text>"
    )
    return lines


def _rectangle(scale: _Scale, tensor: PlannedTensor, colour: str) -> str:
    left, right = scale.x(tensor.first), scale.x(tensor.last + 1)
    top, bottom = scale.y(tensor.offset + tensor.bytes), scale.y(tensor.offset)
    what = f"{tensor.name}: {size(tensor.bytes)} at {size(tensor.offset)}"
    when = f"steps {tensor.first} to {tensor.last}"
    text = f"<title>{escape(what)}, {when}</title>"
    shape = (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" '
        f'height="{bottom - top:.1f}" fill="{colour}" fill-opacity="0.75" stroke="white" '
        f'stroke-width="0.5">{text}</rect>'
    )
    if right - left < _LABELLED or bottom - top < _TALL:
        return shape
    letters = int((right - left - 8) / 6.4)
    label = tensor.name if len(tensor.name) <= letters else "\u2026" + tensor.name[1 - letters :]
    y = (top + bottom) / 2 + 4
    return f'{shape}<text x="{left + 4:.1f}" y="{y:.1f}" fill="white">{escape(label)}</text>'
