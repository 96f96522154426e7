# SPDX-License-Identifier: Apache-2.0
"""Points of the body's surface where a picture shows them: what an IUV map knows of a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.body.charts import Charts, SurfacePoints
from bitpose.body.fit.checks import noise_of, seen_points
from bitpose.errors import InputError

Array = NDArray[Any]

#: Bits of a pixel's column and row along the curve by which pixels are sampled.
_BITS = 15


@dataclass(frozen=True, eq=False)
class DensePoints:
    """Points of the surface, and the pixels where they were seen.

    Raises InputError for shapes that do not fit, for what is not finite or beyond 1e7 among points
    with a confidence, for negative confidences or barycentrics, and for a noise that is not
    positive.
    """

    points: SurfacePoints
    """N; where there is no triangle, the confidence is 0."""
    pixels: ArrayLike
    """[N, 2]."""
    confidence: ArrayLike
    """[N]: 0 for what was not seen; 1 for what is as sure as `noise` says."""
    noise: ArrayLike | None = None
    """Standard deviation in pixels, one or [N]; None for a hundredth of the person's extent."""

    def __post_init__(self) -> None:
        triangles = np.array(self.points.triangles, np.int64)
        weights = np.array(self.points.barycentrics, np.float64)
        given = np.asarray(self.confidence, np.float64)
        if triangles.ndim != 1 or weights.shape != (len(triangles), 3):
            raise InputError(
                f"triangles of shape {triangles.shape} with barycentrics of shape {weights.shape}: "
                "must be [N] and [N, 3]"
            )
        if given.shape != triangles.shape:
            raise InputError(f"{len(triangles)} points with confidence of shape {given.shape}")
        there = triangles >= 0
        pixels, confidence = seen_points("pixels", self.pixels, np.where(there, given, 0), 2)
        weights[~there] = (1, 0, 0)
        if not (weights >= 0).all() or not (np.abs(weights.sum(axis=1) - 1) < 1e-3).all():
            raise InputError("barycentrics must not be negative and add up to 1")
        object.__setattr__(self, "points", SurfacePoints(triangles, weights))
        object.__setattr__(self, "pixels", pixels)
        object.__setattr__(self, "confidence", confidence)
        object.__setattr__(self, "noise", noise_of(self.noise, len(triangles)))

    @classmethod
    def from_iuv(
        cls,
        charts: Charts,
        part: ArrayLike,
        u: ArrayLike,
        v: ArrayLike,
        pixels: ArrayLike,
        confidence: ArrayLike | None = None,
        noise: ArrayLike | None = None,
    ) -> DensePoints:
        """Of coordinates (I, U, V) [N] each, on the `charts` of the body that will be fitted."""
        points = charts.locate(part, u, v)
        sure = np.ones(len(points.triangles)) if confidence is None else confidence
        return cls(points, pixels, sure, noise)

    @property
    def seen(self) -> Array:
        """[n, 2]: the pixels of points with a confidence."""
        return np.asarray(self.pixels)[np.asarray(self.confidence) > 0]

    def used(self) -> DensePoints:
        """Only the points with a confidence."""
        some = np.asarray(self.confidence) > 0
        points = SurfacePoints(self.points.triangles[some], self.points.barycentrics[some])
        noise = None if self.noise is None else np.asarray(self.noise)[some]
        return DensePoints(
            points, np.asarray(self.pixels)[some], np.asarray(self.confidence)[some], noise
        )


def sample_iuv(
    charts: Charts,
    part: ArrayLike,
    u: ArrayLike,
    v: ArrayLike,
    count: int,
    corner: tuple[float, float] = (0, 0),
    pixel_size: float | tuple[float, float] = 1,
    noise: ArrayLike | None = None,
) -> DensePoints:
    """At most `count` points of an IUV map; the same every time.

    Parts share them evenly, as far as they have pixels, so that a forearm has as many as the trunk;
    within a part they are spread evenly.

    `part`, `u` and `v` [H, W] are pictures of one person, as of bitpose.render, 0 in `part` where
    there is none. The map may be a piece of the picture: it starts at `corner` (x, y), and one of
    its pixels is `pixel_size` pixels wide and high, or (width, height). Raises InputError for maps
    of other shapes, and for u or v of the person that are not finite.
    """
    parts, us, vs = np.asarray(part), np.asarray(u), np.asarray(v)
    if parts.ndim != 2 or us.shape != parts.shape or vs.shape != parts.shape:
        raise InputError(f"part {parts.shape}, u {us.shape} and v {vs.shape}: must be [H, W] each")
    if count < 1:
        raise InputError(f"{count} points, must be at least 1")
    rows, columns = np.nonzero(parts)
    if not (np.isfinite(us[rows, columns]) & np.isfinite(vs[rows, columns])).all():
        raise InputError("u or v of the person holds NaN or infinity")
    order = np.lexsort((_along_curve(columns, rows), parts[rows, columns]))
    rows, columns = rows[order], columns[order]
    sizes = np.unique(parts[rows, columns], return_counts=True)[1]
    first = np.cumsum(sizes) - sizes
    picked = [
        start + ((np.arange(share) + 0.5) * size / share).astype(np.int64)
        for start, size, share in zip(first, sizes, _shares(sizes, count), strict=True)
    ]
    chosen = np.concatenate([*picked, np.zeros(0, np.int64)])
    rows, columns = rows[chosen], columns[chosen]
    pixels = np.stack([columns, rows], axis=1) + 0.5
    return DensePoints.from_iuv(
        charts,
        parts[rows, columns],
        us[rows, columns],
        vs[rows, columns],
        np.asarray(corner) + np.asarray(pixel_size) * pixels,
        noise=noise,
    )


def _along_curve(x: NDArray[np.intp], y: NDArray[np.intp]) -> NDArray[np.int64]:
    """Places along Morton's curve, which takes neighbours soon after each other."""
    place = np.zeros(len(x), np.int64)
    for bit in range(_BITS):
        place |= ((x >> bit) & 1).astype(np.int64) << (2 * bit)
        place |= ((y >> bit) & 1).astype(np.int64) << (2 * bit + 1)
    return place


def _shares(sizes: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """How many of `count` each of several sets gets: as even as their `sizes` allow."""
    shares = np.zeros_like(sizes)
    for rank, part in enumerate(np.argsort(sizes, kind="stable").tolist()):
        shares[part] = min(int(sizes[part]), count // (len(sizes) - rank))
        count -= shares[part]
    return shares
