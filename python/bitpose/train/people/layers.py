# SPDX-License-Identifier: Apache-2.0
"""Loose clothes: surfaces some centimetres off the body, cut to length, with folds.

They are made of the default body at rest: x to the left, arms level along x, y up, z ahead, metres
from the pelvis. Whatever the body does they do too, without hanging.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body import SMPL_JOINTS, BodyModel
from bitpose.body.packing import SkinWeights
from bitpose.body.wardrobe import Part
from bitpose.render import Surface
from bitpose.render._shade import vertex_normals

Array = NDArray[Any]

_JOINT = {name: index for index, name in enumerate(SMPL_JOINTS)}
_WAIST, _CROTCH, _KNEE, _ANKLE, _SHOULDER, _WRIST = 0.1, -0.08, -0.4, -0.81, 0.17, 0.64
#: Where the texture of layers lies on the body: all of it in a square of so many metres.
_SQUARE = 2.0
#: Of what hides the body, a rim of so many edges hides nothing.
_RIM = 1
#: Points around a skirt, and rings down.
_AROUND, _RINGS = 28, 10


@dataclass(frozen=True)
class Cut:
    """What a garment made of the body covers, and how loose it is."""

    hem: float
    """How far down the trunk and legs it goes: y."""
    top: float
    """Where it begins: y."""
    sleeve: float
    """How far out along the arms it goes: |x|; below the shoulder's for none."""
    off: float
    """Metres off the body."""
    flare: float
    """Metres more at the ends of sleeves and legs."""
    gap: float
    """Half the width of the opening in front, 0 for a closed one."""
    legs: bool
    """Whether it goes down the legs one by one."""


def upper(random: np.random.Generator, outer: bool) -> Cut:
    """A shirt, jersey or blouse; an `outer` one, looser, is open in front or not."""
    sleeve = random.choice([0.12, 0.26, 0.36, 0.58, 0.66], p=(0.08, 0.22, 0.1, 0.2, 0.4))
    return Cut(
        hem=random.uniform(-0.16, 0.06),
        top=0.56,
        sleeve=sleeve + random.normal(0, 0.015),
        off=random.uniform(0.03, 0.055) if outer else random.uniform(0.014, 0.035),
        flare=abs(random.normal(0, 0.015)),
        gap=random.uniform(0.015, 0.09) if outer and random.random() < 0.6 else 0.0,
        legs=False,
    )


def trousers(random: np.random.Generator) -> Cut:
    """Long ones, wide or not, or shorts."""
    hem = random.choice([-0.25, -0.42, -0.74], p=(0.25, 0.2, 0.55)) + random.normal(0, 0.04)
    flare = abs(random.normal(0, 0.03))
    return Cut(hem, random.uniform(0.08, 0.16), 0, random.uniform(0.014, 0.03), flare, 0.0, True)


@dataclass(frozen=True, eq=False)
class Layer:
    part: Part
    hides: NDArray[np.bool_]
    """[7000]: the vertices of the default body below it, away from its rims."""


def cut_from_body(cut: Cut, random: np.random.Generator) -> Layer:
    """A garment that follows the body."""
    rest, normals = _smooth()
    inside = _covered(cut, rest)
    off = cut.off + cut.flare * _towards_ends(rest) + folds(rest, 0.4 * cut.off + 0.003, random)
    faces = _within(inside)
    if cut.gap:
        middle = rest[faces].mean(axis=1)
        open_ = (np.abs(middle[:, 0]) < cut.gap) & (normals[faces].mean(axis=1)[:, 2] > 0)
        faces = faces[~open_]
    return Layer(_raised("layers/cut", faces, off), _away_from_rim(inside, faces))


def hair(random: np.random.Generator) -> Part:
    """A cap, more or less high and long."""
    rest, _ = _smooth()
    behind = rest[:, 2] < random.uniform(-0.03, 0.06)
    scalp = (rest[:, 1] > random.uniform(0.71, 0.75)) | (behind & (rest[:, 1] > 0.58))
    inside = scalp & (_share("head", "neck") > 0.6)
    off = random.uniform(0.012, 0.035) + folds(rest, 0.004, random)
    return _raised("hair/cap", _within(inside), off)


def shoes() -> Part:
    rest, _ = _smooth()
    inside = _share("left_ankle", "right_ankle", "left_foot", "right_foot") > 0.5
    inside &= rest[:, 1] < -0.8
    return _raised("clothes/shoes", _within(inside), np.full(len(rest), 0.008))


def _within(inside: NDArray[np.bool_]) -> NDArray[np.int32]:
    faces = BodyModel.load().faces
    return faces[inside[faces].all(axis=1)]


def _raised(name: str, faces: NDArray[np.int32], off: Array) -> Part:
    """Faces of the body at rest, as far off it as `off` [V] says, and in any shape and pose."""
    body = BodyModel.load()
    rest, normals = _smooth()
    lifted = rest + normals * np.maximum(off, 0.004)[:, None]
    used, corners = np.unique(faces, return_inverse=True)
    model = body.at_vertices(used)
    model = replace(model, v_template=lifted[used].astype(model.dtype), faces=_NO_FACES)
    triangles = corners.reshape(faces.shape).astype(np.int32)
    surface = Surface(len(used), triangles, texture_uv=_on_square(rest)[faces])
    return Part(name, model, surface, None)


def skirt(random: np.random.Generator, gap: bool = False) -> Layer:
    """A tube from the waist down, open in front with `gap`."""
    body = BodyModel.load()
    rest, _ = _smooth()
    hem = random.uniform(-0.72, -0.25)
    flare, off = random.uniform(0.0, 0.28), random.uniform(0.01, 0.03)
    down = np.linspace(0, 1, _RINGS)[:, None]
    angle = np.linspace(0, 2 * np.pi, _AROUND + 1)[None, :-1]
    wide, deep, behind = _hips()
    waves = random.integers(3, 8), random.uniform(0, 2 * np.pi)
    pleat = 1 + random.uniform(0, 0.12) * down * np.sin(waves[0] * angle + waves[1])
    radius = (np.minimum(0.78 + 0.6 * down, 1.0) + flare * down / wide) * pleat
    x, z = np.sin(angle) * (wide + off) * radius, np.cos(angle) * (deep + off) * radius + behind
    y = _WAIST + (hem - _WAIST) * down + 0 * angle
    vertices = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    below = (rest[:, 1] < _WAIST) & (np.abs(rest[:, 0]) < 0.3)
    near = np.flatnonzero(below)[nearest(vertices, rest[below], 12)]
    shares = np.full(near.shape, 1 / near.shape[1])
    model = replace(
        body,
        v_template=vertices.astype(body.dtype),
        shapedirs=body.shapedirs[:, near].mean(axis=2),
        pose_blend=body.pose_blend.mixed(near, 0 * shares, len(rest)),
        skin=_skirt_weights(vertices),
        faces=_NO_FACES,
        keypoints={},
    )
    surface = _tube(gap, np.stack([np.tile(angle / 2 / np.pi, (_RINGS, 1)), y / _SQUARE + 0.5], -1))
    hides = below & (rest[:, 1] > hem + 0.1) & (rest[:, 1] < _WAIST - 0.04)
    return Layer(Part("layers/skirt", model, surface, None), hides & (not gap))


def folds(rest: Array, high: float, random: np.random.Generator) -> Array:
    """[V]: smooth bumps of about `high` metres, which run along the limbs rather than across."""
    total = np.zeros(len(rest))
    across = np.where(np.abs(rest[:, :1]) > _SHOULDER, (0.5, 1, 1), (1, 0.5, 1))
    for wave in (0.3, 0.16, 0.1):
        ways = random.normal(0, 1, (2, 3))
        ways *= 2 * np.pi / wave / np.linalg.norm(ways, axis=1, keepdims=True)
        phases = random.uniform(0, 2 * np.pi, 2)
        for way, phase in zip(ways, phases, strict=True):
            total += wave**0.5 * np.sin((rest * across) @ way + phase)
    return np.asarray(high * total)


def loosened(part: Part, off: float, flare: float, random: np.random.Generator) -> Part:
    """The garment with folds, and so many metres off where it was, more at its ends."""
    rest = part.model.v_template.astype(np.float64)
    normals = vertex_normals(rest, part.surface.faces)
    by = off + flare * _towards_ends(rest) + folds(rest, 0.5 * off + 0.004, random)
    moved = rest + normals * np.maximum(by, -0.002)[:, None]
    return replace(part, model=replace(part.model, v_template=moved.astype(part.model.dtype)))


def without(part: Part, hides: NDArray[np.bool_]) -> Part:
    """The part without what lies below layers that hide these vertices of the default body."""
    if not hides.any():
        return part
    hidden = hides[nearest(part.model.v_template, _smooth()[0], 1)[:, 0]]
    surface = part.surface
    shown = ~hidden[surface.faces].all(axis=1)
    if shown.all():
        return part
    used, corners = np.unique(surface.faces[shown], return_inverse=True)
    uv = None if surface.texture_uv is None else surface.texture_uv[shown]
    faces = corners.reshape(-1, 3).astype(np.int32)
    return replace(
        part, model=part.model.at_vertices(used), surface=Surface(len(used), faces, texture_uv=uv)
    )


def nearest(points: Array, among: Array, count: int) -> NDArray[np.intp]:
    """[N, count]: the nearest of `among` to each of `points`, in no order."""
    found = []
    points, among = points.astype(np.float32), among.astype(np.float32)
    squares = (among**2).sum(axis=1)
    for part in np.array_split(points, max(1, len(points) // 256)):
        distances = squares - 2 * part @ among.T
        if count == 1:
            found.append(distances.argmin(axis=1)[:, None])
        else:
            found.append(np.argpartition(distances, count, axis=1)[:, :count])
    return np.concatenate(found)


_NO_FACES = np.empty((0, 3), np.int32)


@cache
def _smooth() -> tuple[Array, Array]:
    """The body at rest [V, 3] without its small features, and its normals [V, 3]."""
    body = BodyModel.load()
    edges = np.concatenate([body.faces[:, [i, (i + 1) % 3]] for i in range(3)])
    rest = body.v_template.astype(np.float64)
    counts = np.bincount(edges[:, 0], minlength=len(rest))[:, None]
    for _ in range(12):
        sums = np.zeros_like(rest)
        np.add.at(sums, edges[:, 0], rest[edges[:, 1]])
        rest = np.where(counts > 0, 0.5 * rest + 0.5 * sums / np.maximum(counts, 1), rest)
    return rest, vertex_normals(rest, body.faces).astype(np.float64)


@cache
def _shares() -> Array:
    """[V, 24]: of the body's skin."""
    body = BodyModel.load()
    return body.skin.to_dense(body.num_joints)


def _share(*names: str) -> Array:
    return np.asarray(_shares()[:, [_JOINT[name] for name in names]].sum(axis=1))


def _covered(cut: Cut, rest: Array) -> NDArray[np.bool_]:
    """[V]."""
    head = _share("head") + 0.8 * _share("neck")
    feet = _share("left_ankle", "right_ankle", "left_foot", "right_foot")
    arm = np.abs(rest[:, 0]) > _SHOULDER
    arm &= rest[:, 1] > 0.25
    trunk = ~arm & (rest[:, 1] < cut.top) & (head < 0.5)
    if cut.legs:
        return np.asarray(trunk & (rest[:, 1] > cut.hem) & ((feet < 0.5) | (rest[:, 1] > -0.8)))
    sleeves = arm & (np.abs(rest[:, 0]) < cut.sleeve)
    return np.asarray((trunk & (rest[:, 1] > cut.hem)) | sleeves)


def _towards_ends(rest: Array) -> Array:
    """[V]: 0 on the chest, 1 at wrists and ankles."""
    arm = (np.abs(rest[:, 0]) - _SHOULDER) / (_WRIST - _SHOULDER)
    leg = (_WAIST - rest[:, 1]) / (_WAIST - _ANKLE)
    return np.clip(np.where(rest[:, 1] > 0.25, arm, leg), 0, 1)


def _on_square(rest: Array) -> NDArray[np.float32]:
    """[V, 2]: seen from a corner ahead and above, so that no side is seen edge-on."""
    along = np.where(np.abs(rest[:, 0]) > _SHOULDER, 0.0, 0.7)
    x = rest[:, 0] + along * rest[:, 2]
    y = rest[:, 1] + (0.7 - along) * rest[:, 2]
    return np.asarray(np.stack([x, y], axis=1) / _SQUARE + 0.5, np.float32)


def _away_from_rim(inside: NDArray[np.bool_], faces: NDArray[np.int32]) -> NDArray[np.bool_]:
    """[V]: the vertices of `faces` that are not near the edges that have one face only."""
    edges = np.sort(np.concatenate([faces[:, [i, (i + 1) % 3]] for i in range(3)]), axis=1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    rim = np.zeros(len(inside), bool)
    rim[unique[count == 1]] = True
    for _ in range(_RIM):
        rim[faces[rim[faces].any(axis=1)]] = True
    return np.asarray(inside & ~rim)


@cache
def _hips() -> tuple[float, float, float]:
    """Half the width and half the depth of the body at its widest below the waist, and how far
    behind the middle of that is."""
    rest = _smooth()[0]
    at = rest[(rest[:, 1] < _WAIST) & (rest[:, 1] > -0.2)]
    low, high = at.min(axis=0), at.max(axis=0)
    return float(high[0]), float((high[2] - low[2]) / 2), float((high[2] + low[2]) / 2)


def _skirt_weights(vertices: Array) -> SkinWeights:
    """The pelvis at the top, both thighs below it, mixed in the middle, and the shins a little."""
    x, y = vertices[:, 0], vertices[:, 1]
    free = np.clip((_WAIST - 0.02 - y) / 0.3, 0, 1)
    left = 0.5 + 0.5 * np.clip(x / 0.14, -1, 1)
    shin = 0.7 * np.clip((_KNEE + 0.05 - y) / 0.2, 0, 1)
    dense = np.zeros((len(vertices), len(SMPL_JOINTS)))
    dense[:, _JOINT["pelvis"]] = 1 - free
    for side, share in (("left", left), ("right", 1 - left)):
        dense[:, _JOINT[f"{side}_hip"]] = free * share * (1 - shin)
        dense[:, _JOINT[f"{side}_knee"]] = free * share * shin
    return SkinWeights.from_dense(dense, np.float32)


def _tube(gap: bool, uv: Array) -> Surface:
    """Rings of points as triangles, counter-clockwise from outside; with `gap`, none ahead."""
    ring, turn = (v.ravel() for v in np.mgrid[: _RINGS - 1, :_AROUND])
    if gap:
        kept = (turn != 0) & (turn != _AROUND - 1)
        ring, turn = ring[kept], turn[kept]
    following = (turn + 1) % _AROUND
    a, b = ring * _AROUND + turn, ring * _AROUND + following
    c, d = a + _AROUND, b + _AROUND
    faces = np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)])
    corners = uv.reshape(-1, 2)[faces]
    wrapped = corners[..., 0].max(axis=1) - corners[..., 0].min(axis=1) > 0.5
    corners[wrapped, :, 0] += corners[wrapped, :, 0] < 0.5
    return Surface(_RINGS * _AROUND, faces.astype(np.int32), texture_uv=corners.astype(np.float32))
