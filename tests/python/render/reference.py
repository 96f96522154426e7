# SPDX-License-Identifier: Apache-2.0
"""Two slow answers to what a pixel sees: exact for rounded corners, and by rays in float64."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitpose.render import Camera, PerspectiveCamera

Array = NDArray[np.float64]

GRID = 4096


def coverage(corners: NDArray[np.int64], height: int, width: int) -> NDArray[np.bool_]:
    """[H, W]: the pixels of one triangle [3, 2] whose corners are in 1/4096 of a pixel.

    Exact, by the rule in words: a centre on an edge belongs to the triangle if the edge is a left
    one or a horizontal top one.
    """
    (ax, ay), (bx, by), (cx, cy) = corners.tolist()
    if (bx - ax) * (cy - ay) - (by - ay) * (cx - ax) < 0:
        (bx, by), (cx, cy) = (cx, cy), (bx, by)
    elif (bx - ax) * (cy - ay) == (by - ay) * (cx - ax):
        return np.zeros((height, width), np.bool_)
    x = np.array([GRID * i + GRID // 2 for i in range(width)], object)[None]
    y = np.array([GRID * i + GRID // 2 for i in range(height)], object)[:, None]
    inside = np.ones((height, width), np.bool_)
    for (px, py), (qx, qy) in [
        ((ax, ay), (bx, by)),
        ((bx, by), (cx, cy)),
        ((cx, cy), (ax, ay)),
    ]:
        side = (qx - px) * (y - py) - (qy - py) * (x - px)
        left, top = qy < py, qy == py and qx > px
        inside &= ((side >= 0) if left or top else (side > 0)).astype(np.bool_)
    return inside


@dataclass(frozen=True)
class Rays:
    """What the rays of [H, W] pixel centres meet first."""

    triangle: NDArray[np.int64]
    depth: Array
    barycentrics: Array
    margin: Array
    """How far the nearest edge is, of all triangles that the ray's line meets or nearly meets, in
    pixels: within it another answer may be as good."""
    gap: Array
    """By how much the second hit is behind the first, as a share of the depth."""


def cast(vertices: Array, faces: NDArray[np.int32], camera: Camera) -> Rays:
    """By intersection of each ray with each triangle, in the camera's frame."""
    points = vertices @ camera.T_camera_world[:3, :3].T + camera.T_camera_world[:3, 3]
    x, y = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    p = np.stack([x, y], -1).astype(np.float64)
    shape = (camera.height, camera.width)
    best = Rays(
        np.full(shape, -1),
        np.full(shape, np.inf),
        np.zeros((*shape, 3)),
        np.full(shape, np.inf),
        np.full(shape, np.inf),
    )
    for index, face in enumerate(faces):
        b, depth, distance = _meet(points[face], p, camera)
        near = getattr(camera, "near", -np.inf)
        hit = (b >= 0).all(-1) & (depth >= near)
        best.margin[:] = np.minimum(best.margin, distance)
        with np.errstate(invalid="ignore"):
            apart = np.abs(depth - best.depth) / np.maximum(np.abs(depth), 1e-9)
        best.gap[hit] = np.minimum(best.gap, np.where(np.isnan(apart), np.inf, apart))[hit]
        nearer = hit & (depth < best.depth)
        best.triangle[nearer] = index
        best.depth[nearer] = depth[nearer]
        best.barycentrics[nearer] = b[nearer]
    return best


def _meet(corners: Array, pixels: Array, camera: Camera) -> tuple[Array, Array, Array]:
    """Barycentrics [H, W, 3], depth [H, W], distance to the nearest edge in pixels [H, W]."""
    if isinstance(camera, PerspectiveCamera):
        origin = np.zeros(3)
        x = (pixels[..., 0] - camera.cx) / camera.fx
        y = (pixels[..., 1] - camera.cy) / camera.fy
        direction = np.stack([x, y, np.ones_like(x)], -1)
    else:
        x = (pixels[..., 0] - camera.cx) / camera.scale  # type: ignore[attr-defined]
        y = (pixels[..., 1] - camera.cy) / camera.scale  # type: ignore[attr-defined]
        origin = np.stack([x, y, np.zeros_like(x)], -1)
        direction = np.broadcast_to([0.0, 0.0, 1.0], (*x.shape, 3))
    a, b, c = corners
    normal = np.cross(b - a, c - a)
    facing = direction @ normal
    with np.errstate(divide="ignore", invalid="ignore"):
        depth = ((a - origin) @ normal) / facing
        point = origin + depth[..., None] * direction
        weights = np.stack(
            [np.cross(q - point, r - point) @ normal for q, r in [(b, c), (c, a), (a, b)]], -1
        ) / (normal @ normal)
        weights[~np.isfinite(weights)] = -1
    # An edge and the eye span a plane; the distance of a pixel from where that meets the picture.
    distance = np.full(pixels.shape[:2], np.inf)
    scale = camera.fx if isinstance(camera, PerspectiveCamera) else camera.scale  # type: ignore[attr-defined]
    for q, r in [(a, b), (b, c), (c, a)]:
        distance = np.minimum(distance, _edge_distance(q, r, x, y, camera) * scale)
    return weights, depth, distance


def _edge_distance(q: Array, r: Array, x: Array, y: Array, camera: Camera) -> Array:
    """From (x, y) at depth 1 to the segment q r as the camera sees it."""
    if isinstance(camera, PerspectiveCamera):
        if max(q[2], r[2]) <= camera.near:
            return np.full(x.shape, np.inf)
        inner, outer = (q, r) if q[2] >= r[2] else (r, q)
        if outer[2] < camera.near:
            share = (inner[2] - camera.near) / (inner[2] - outer[2])
            outer = inner + share * (outer - inner)
        q, r = inner[:2] / inner[2], outer[:2] / outer[2]
    d = r[:2] - q[:2]
    length = d @ d
    px, py = x - q[0], y - q[1]
    t = np.clip((px * d[0] + py * d[1]) / length, 0, 1) if length > 0 else np.zeros_like(x)
    return np.asarray(np.hypot(px - t * d[0], py - t * d[1]))
