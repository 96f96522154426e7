# SPDX-License-Identifier: Apache-2.0
"""A body with its skeleton as a glTF 2.0 binary file, by pygltflib.

The file holds the surface of one shape at rest, the joints as nodes in the pose, and a skin that
hangs the one on the others: a viewer turns joints and sees the body move. What glTF has no word for
is a morph target:

- each shape axis, per unit, with weight 0. It changes the surface, not the joints, so large changes
  of shape are better made before the file is written;
- "pose correctives" of the one pose in the file, with weight 1. They belong to this pose; files of
  several poses (animations) have none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pygltflib as gltf
from numpy.typing import ArrayLike, NDArray

from bitpose.body.layout import SMPL_JOINTS, SMPL_PARENTS
from bitpose.body.mesh_files import normals, one_surface
from bitpose.body.model import BodyModel, Mesh, PosedBody, ShapedBody
from bitpose.body.rotations import matrix_to_quaternion
from bitpose.errors import InputError

Array = NDArray[Any]

CORRECTIVES = "pose correctives"
#: Of a body whose shape directions have no names, the first betas and expressions.
_MOST_TARGETS = 16
_BONES = 4
#: Linear RGB and alpha.
_GREY = [0.5, 0.5, 0.5, 1.0]
_COMPONENTS = {"<f4": gltf.FLOAT, "<u4": gltf.UNSIGNED_INT, "<u2": gltf.UNSIGNED_SHORT}
_TYPES = {(): gltf.SCALAR, (3,): gltf.VEC3, (4,): gltf.VEC4, (4, 4): gltf.MAT4}


def write_glb(path: str | PathLike[str], posed: PosedBody, frames_per_second: float = 30.0) -> None:
    """Writes a body in one pose, or a sequence of poses (a batch [T]) of one shape as an animation.

    Raises InputError for another suffix than .glb, for more batch axes, for several shapes, for
    what is not finite, and for a body without triangles; OSError where the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".glb":
        raise InputError(f"{path.name}: a body with its skeleton is written as .glb")
    path.write_bytes(encode(posed, frames_per_second))


def encode(posed: PosedBody, frames_per_second: float = 30.0) -> bytes:
    """What `write_glb` writes."""
    shaped, sequence = posed.shaped, len(posed.batch) == 1
    if len(posed.batch) > 1 or shaped.rest_joints.ndim != 2:
        shapes = shaped.rest_joints.shape[:-2]
        raise InputError(f"poses {posed.batch} of shapes {shapes}: one shape, one batch axis")
    if sequence and len(posed.R_parent_joint) == 0:
        raise InputError("a sequence without poses")
    if not 0 < frames_per_second < np.inf:
        raise InputError(f"{frames_per_second} frames a second: must be positive")
    file = _File()
    first = [0] if sequence else []
    surface = one_surface(Mesh(shaped.v_shaped, shaped.model.faces))
    correctives = None if sequence else posed.v_posed() - shaped.v_shaped
    _add_mesh(file, surface, shaped.model, correctives)
    _add_skeleton(file, shaped, posed.R_parent_joint[*first], posed.t_world_joint[*first, 0])
    if sequence:
        _add_animation(file, posed, 1 / frames_per_second)
    return file.encoded()


@dataclass(frozen=True)
class _File:
    """A file in the making: arrays become accessors, each with a view of its own of one buffer."""

    tree: gltf.GLTF2 = field(
        default_factory=lambda: gltf.GLTF2(asset=gltf.Asset(generator="bitpose"), scene=0)
    )
    blob: bytearray = field(default_factory=bytearray)

    def add(
        self, values: ArrayLike, dtype: str, target: int | None = None, bounds: bool = False
    ) -> int:
        """The number of the accessor; `bounds`: with its least and largest values."""
        array = np.ascontiguousarray(values, dtype)
        view = gltf.BufferView(
            buffer=0, byteOffset=len(self.blob), byteLength=array.nbytes, target=target
        )
        accessor = gltf.Accessor(
            bufferView=len(self.tree.bufferViews),
            componentType=_COMPONENTS[dtype],
            count=len(array),
            type=_TYPES[array.shape[1:]],
        )
        if bounds:
            accessor.min = np.atleast_1d(array.min(axis=0)).tolist()
            accessor.max = np.atleast_1d(array.max(axis=0)).tolist()
        self.tree.bufferViews.append(view)
        self.tree.accessors.append(accessor)
        self.blob.extend(array.tobytes() + bytes(-array.nbytes % 4))
        return len(self.tree.accessors) - 1

    def encoded(self) -> bytes:
        self.tree.buffers.append(gltf.Buffer(byteLength=len(self.blob)))
        self.tree.set_binary_blob(bytes(self.blob))
        return b"".join(self.tree.save_to_bytes())


def _add_mesh(file: _File, surface: Mesh, model: BodyModel, correctives: Array | None) -> None:
    """Node 0: the surface at rest. A mesh on a skin has no place of its own."""

    def vertices(values: Array, dtype: str = "<f4", bounds: bool = False) -> int:
        return file.add(values, dtype, gltf.ARRAY_BUFFER, bounds)

    targets = _shape_targets(model)
    weights = [0.0] * len(targets)
    if correctives is not None and correctives.any():
        targets[CORRECTIVES] = correctives
        weights.append(1.0)
    bones, shares = _four_strongest(model)
    primitive = gltf.Primitive(
        attributes=gltf.Attributes(
            POSITION=vertices(surface.vertices, bounds=True),
            NORMAL=vertices(normals(surface)),
            JOINTS_0=vertices(bones, "<u2"),
            WEIGHTS_0=vertices(shares),
        ),
        indices=file.add(surface.faces.ravel(), "<u4", gltf.ELEMENT_ARRAY_BUFFER),
        material=0,
        targets=[
            gltf.Attributes(POSITION=vertices(moved, bounds=True)) for moved in targets.values()
        ],
    )
    names = {"targetNames": list(targets)} if targets else {}
    file.tree.meshes.append(
        gltf.Mesh(name="body", primitives=[primitive], weights=weights, extras=names)
    )
    grey = gltf.PbrMetallicRoughness(baseColorFactor=_GREY, metallicFactor=0.0, roughnessFactor=0.8)
    file.tree.materials.append(gltf.Material(name="body", pbrMetallicRoughness=grey))
    file.tree.nodes.append(gltf.Node(name="body", mesh=0, skin=0))


def _shape_targets(model: BodyModel) -> dict[str, Array]:
    """[V, 3] for each named axis, per unit of it; without names for the first betas."""
    if model.axes is not None:
        by_axis = np.tensordot(model.axes.matrix, model.shapedirs, axes=(0, 0))
        return dict(zip(model.axes.names, by_axis, strict=True))
    betas, expressions = np.split(model.shapedirs, [model.num_betas])
    return {
        f"{name} {i}": moved
        for name, directions in (("beta", betas), ("expression", expressions))
        for i, moved in enumerate(directions[:_MOST_TARGETS])
    }


def _four_strongest(model: BodyModel) -> tuple[Array, Array]:
    """Bones and weights [V, 4]; the weights of a vertex add up to 1."""
    bones, weights = model.skin.bones, np.maximum(model.skin.weights.astype(np.float64), 0)
    missing = max(0, _BONES - bones.shape[1])
    bones, weights = (np.pad(x, ((0, 0), (0, missing))) for x in (bones, weights))
    order = np.argsort(-weights, axis=1, kind="stable")[:, :_BONES]
    bones, weights = (np.take_along_axis(x, order, axis=1) for x in (bones, weights))
    return np.where(weights > 0, bones, 0), weights / weights.sum(axis=1, keepdims=True)


def _add_skeleton(
    file: _File, shaped: ShapedBody, R_parent_joint: Array, t_world_root: Array
) -> None:
    """Nodes 1 to J: the joints in a pose; and the skin that joins them to the surface at rest."""
    parents, rest = shaped.model.parents.tolist(), shaped.rest_joints.astype(np.float64)
    names = SMPL_JOINTS if tuple(parents) == SMPL_PARENTS else None
    offsets = rest - rest[parents]
    offsets[0] = t_world_root
    turns = _quaternions(R_parent_joint)
    for joint in range(len(parents)):
        children = [child + 1 for child, parent in enumerate(parents) if parent == joint]
        node = gltf.Node(
            name=names[joint] if names else f"joint {joint}",
            translation=offsets[joint].tolist(),
            rotation=turns[joint].tolist(),
            children=children,
        )
        file.tree.nodes.append(node)
    T_joint_rest = np.tile(np.eye(4), (len(rest), 1, 1))
    T_joint_rest[:, 3, :3] = -rest  # Columns first, as glTF has them.
    matrices = file.add(T_joint_rest, "<f4")
    joints = list(range(1, len(rest) + 1))
    skin = gltf.Skin(name="body", inverseBindMatrices=matrices, skeleton=1, joints=joints)
    file.tree.skins.append(skin)
    file.tree.scenes.append(gltf.Scene(nodes=[0, 1]))


def _add_animation(file: _File, posed: PosedBody, seconds: float) -> None:
    """Of poses [T], `seconds` apart."""
    frames, joints = posed.R_parent_joint.shape[:2]
    times = file.add(np.arange(frames) * seconds, "<f4", bounds=True)
    turns = _quaternions(posed.R_parent_joint)
    # Of the two quaternions of a rotation that which is nearer to the one before.
    flips = np.where(np.sum(turns[1:] * turns[:-1], axis=-1) < 0, -1, 1)
    turns[1:] *= np.cumprod(flips, axis=0)[..., None]
    animation = gltf.Animation(name="poses")
    tracks = [(1, gltf.TRANSLATION, posed.t_world_joint[:, 0])]
    tracks += [(joint + 1, gltf.ROTATION, turns[:, joint]) for joint in range(joints)]
    for node, path, values in tracks:
        target = gltf.AnimationChannelTarget(node=node, path=path)
        channel = gltf.AnimationChannel(sampler=len(animation.samplers), target=target)
        animation.channels.append(channel)
        animation.samplers.append(
            gltf.AnimationSampler(input=times, output=file.add(values, "<f4"))
        )
    file.tree.animations.append(animation)


def _quaternions(R: Array) -> Array:
    """[..., 4]: x, y, z, w."""
    return np.roll(matrix_to_quaternion(R.astype(np.float64)), -1, axis=-1)
