# SPDX-License-Identifier: Apache-2.0
"""Pictures of bodies: a software rasteriser with exact coverage, and drawings over photos.

    maps = rasterize([Drawable(surface, vertices_world)], camera)  # depth, part, U, V, ...
    picture = render([body, chair], camera, background=photo).rgb

`camera` holds the conventions of frames and pixels.
"""

from bitpose.render.camera import Camera, PerspectiveCamera, WeakPerspectiveCamera, look_at
from bitpose.render.light import Light
from bitpose.render.maps import Maps
from bitpose.render.rasterize import Rendering, rasterize, render
from bitpose.render.surface import Drawable, Surface, Texture

__all__ = [
    "Camera",
    "Drawable",
    "Light",
    "Maps",
    "PerspectiveCamera",
    "Rendering",
    "Surface",
    "Texture",
    "WeakPerspectiveCamera",
    "look_at",
    "rasterize",
    "render",
]
