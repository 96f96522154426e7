# SPDX-License-Identifier: Apache-2.0
"""A body in four frozen stages, each a pure function of the one before.

    BodyModel.load(path)  ->  .with_shape(betas)  ->  .with_pose(R_parent_joint)  ->  .mesh()

V vertices, J joints, B betas. Frames: `world`, and one per joint, which at rest has the world's
axes and its origin in the joint. `R_a_b` turns vectors of frame b into frame a, `T_a_b` points.
Leading axes `...` of betas, poses and translations are batches and broadcast against each other.
Lengths are metres. All stages compute in the model's dtype, float32 unless asked otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from bitpose.body import _skinning
from bitpose.body.batches import Batch, broadcast, finite, flat, spread, unflat
from bitpose.body.keypoints import KeypointRegressor, ShapeAxes
from bitpose.body.layout import BodyArrays
from bitpose.body.packing import PoseBlend, SkinWeights, within
from bitpose.body.rotations import axis_angle_to_matrix
from bitpose.errors import InputError, InvalidModelError

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class BodyModel:
    """A surface, its shape and pose directions, its skeleton and its skinning."""

    v_template: Array
    """[V, 3]."""
    shapedirs: Array
    """[B, V, 3]: betas, then expressions of the face where the model has them."""
    J_template: Array
    """[J, 3]: the joints at rest with all betas 0."""
    J_shapedirs: Array
    """[B, J, 3]: how they move with the betas."""
    pose_blend: PoseBlend
    skin: SkinWeights
    parents: NDArray[np.int32]
    """[J]: -1 for the root, a lower index for every other joint."""
    faces: NDArray[np.int32]
    """[F, 3], counter-clockwise from outside."""
    expressions: int = 0
    """How many of the last shape directions are expressions."""
    axes: ShapeAxes | None = None
    """Names of shape directions, where the model has them."""
    keypoints: Mapping[str, KeypointRegressor] = field(default_factory=dict)
    """Keypoints of data sets by their names, for example "COCO-17", where the model has them."""

    def __post_init__(self) -> None:
        """Raises InvalidModelError where the arrays do not fit each other."""
        vertices, joints, shapes = len(self.v_template), len(self.parents), len(self.shapedirs)
        problems = [
            name
            for name, shape in [
                ("v_template", (vertices, 3)),
                ("shapedirs", (shapes, vertices, 3)),
                ("J_template", (joints, 3)),
                ("J_shapedirs", (shapes, joints, 3)),
            ]
            if getattr(self, name).shape != shape
        ]
        above = np.arange(-1, joints - 1)
        if joints == 0 or (self.parents > above).any() or (self.parents[1:] < 0).any():
            problems.append("parents")
        if self.faces.shape[1:] != (3,) or not within(self.faces, vertices):
            problems.append("faces")
        if not self.pose_blend.fits(vertices, joints):
            problems.append("pose_blend")
        if not self.skin.fits(vertices, joints):
            problems.append("skin")
        if problems:
            raise InvalidModelError(
                f"{', '.join(problems)} of the body do not fit {vertices} vertices, {joints} "
                f"joints and {shapes} shape directions"
            )

    @classmethod
    def load(
        cls, path: str | PathLike[str] | None = None, dtype: DTypeLike = np.float32
    ) -> BodyModel:
        """The default body; or a `.pkl` of SMPL or an `.npz` of SMPL, SMPL-H or SMPL-X, read
        without running anything in it.

        Raises InvalidModelError, with what is missing or wrong in the file.
        """
        if path is None:
            from bitpose.body import default

            return default.load(dtype)
        from bitpose.body.files import read

        return cls.from_arrays(read(path), dtype)

    @classmethod
    def from_arrays(cls, arrays: BodyArrays, dtype: DTypeLike = np.float32) -> BodyModel:
        """Of arrays in SMPL's layout. Raises InputError for a dtype but float32 and float64."""
        if np.dtype(dtype) not in (np.float32, np.float64):
            raise InputError(f"a body in {np.dtype(dtype)}: must be float32 or float64")
        regressor = arrays.J_regressor.astype(np.float64)
        directions = np.ascontiguousarray(arrays.shapedirs.transpose(2, 0, 1), np.float64)
        return cls(
            v_template=arrays.v_template.astype(dtype),
            shapedirs=directions.astype(dtype),
            J_template=(regressor @ arrays.v_template).astype(dtype),
            J_shapedirs=(regressor @ directions).astype(dtype),
            pose_blend=PoseBlend.from_dense(arrays.posedirs, dtype),
            skin=SkinWeights.from_dense(arrays.lbs_weights, dtype),
            parents=arrays.parents,
            faces=arrays.faces,
            expressions=arrays.expressions,
        )

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 or float64."""
        return self.v_template.dtype

    @property
    def num_joints(self) -> int:
        """J."""
        return len(self.parents)

    @property
    def num_betas(self) -> int:
        """The shape directions that are no expressions."""
        return len(self.shapedirs) - self.expressions

    @cached_property
    def skeleton(self) -> BodyModel:
        """The same body without vertices."""
        return self.at_vertices(np.zeros(0, np.int64))

    def at_vertices(self, vertices: ArrayLike) -> BodyModel:
        """The same body with some of its vertices only, in the order given.

        Joints, poses and betas keep their meaning, and faces whose corners all stay are kept.
        Fitting to keypoints works on a few hundred vertices this way; `keypoints` are left out,
        because few of them would still have their vertices: see `KeypointRegressor.within`.
        """
        chosen = np.asarray(vertices)
        total = len(self.v_template)
        if chosen.ndim != 1 or chosen.dtype.kind not in "iu" or len(set(chosen)) != len(chosen):
            raise InputError("vertices must be a list of different indices")
        if chosen.size and not 0 <= int(chosen.min()) <= int(chosen.max()) < total:
            raise InputError(f"vertices must be below {total}")
        number = np.full(total, -1, np.int32)
        number[chosen] = np.arange(len(chosen))
        faces = number[self.faces]
        return BodyModel(
            v_template=self.v_template[chosen],
            shapedirs=np.ascontiguousarray(self.shapedirs[:, chosen]),
            J_template=self.J_template,
            J_shapedirs=self.J_shapedirs,
            pose_blend=self.pose_blend.at(chosen, total),
            skin=self.skin.at(chosen),
            parents=self.parents,
            faces=faces[(faces >= 0).all(axis=1)],
            expressions=self.expressions,
            axes=self.axes,
        )

    def with_shape(
        self, betas: ArrayLike | None = None, expression: ArrayLike | None = None
    ) -> ShapedBody:
        """Of `betas` [..., <= num_betas] and `expression` [..., <= expressions]; the rest is 0.

        Raises InputError for too many, or for what is not finite.
        """
        coefficients = self._coefficients(betas, expression)
        batch = coefficients.shape[:-1]
        rows = flat(coefficients, 1)
        return ShapedBody(
            model=self,
            coefficients=coefficients,
            v_shaped=unflat(_blended(self.v_template, self.shapedirs, rows), batch),
            rest_joints=unflat(_blended(self.J_template, self.J_shapedirs, rows), batch),
        )

    def _coefficients(self, betas: ArrayLike | None, expression: ArrayLike | None) -> Array:
        given = [
            _at_most("betas", betas, self.num_betas, self.dtype),
            _at_most("expression", expression, self.expressions, self.dtype),
        ]
        batch = broadcast(*(part.shape[:-1] for part in given))
        full = np.zeros((*batch, len(self.shapedirs)), self.dtype)
        full[..., : given[0].shape[-1]] = given[0]
        full[..., self.num_betas : self.num_betas + given[1].shape[-1]] = given[1]
        return full


@dataclass(frozen=True, eq=False)
class ShapedBody:
    """A body of one shape (or a batch of them), in its rest pose."""

    model: BodyModel
    coefficients: Array
    """[..., B]: betas and expressions."""
    v_shaped: Array
    """[..., V, 3]."""
    rest_joints: Array
    """[..., J, 3]."""

    def with_axis_angle(self, pose: ArrayLike, translation: ArrayLike = (0, 0, 0)) -> PosedBody:
        """`with_pose` of SMPL's parameters: `pose` [..., 3 J], axis-angle in radians."""
        vectors = finite("pose", pose, self.model.dtype)
        joints = self.model.num_joints
        if vectors.shape[-1:] != (3 * joints,):
            raise InputError(f"pose of shape {vectors.shape}: must be [..., {3 * joints}]")
        vectors = vectors.reshape(*vectors.shape[:-1], joints, 3)
        return self.with_pose(axis_angle_to_matrix(vectors), translation)

    def with_pose(self, R_parent_joint: ArrayLike, translation: ArrayLike = (0, 0, 0)) -> PosedBody:
        """Turns each joint against its parent.

        `R_parent_joint` [..., J, 3, 3] must be rotations, which is not checked; the root's parent
        is the world. `translation` [..., 3] moves everything: at 0 the root joint stays where it
        rests. Raises InputError for wrong shapes and for what is not finite.
        """
        model = self.model
        rotations = finite("R_parent_joint", R_parent_joint, model.dtype)
        if rotations.shape[-3:] != (model.num_joints, 3, 3):
            wanted = f"[..., {model.num_joints}, 3, 3]"
            raise InputError(f"R_parent_joint of shape {rotations.shape}: must be {wanted}")
        moved = finite("translation", translation, model.dtype)
        if moved.shape[-1:] != (3,):
            raise InputError(f"translation of shape {moved.shape}: must be [..., 3]")
        own = self.coefficients.shape[:-1]
        batch = broadcast(own, rotations.shape[:-3], moved.shape[:-1])
        rest = self.rest_joints if math.prod(own) == 1 else spread(self.rest_joints, batch, 2)
        rotations = spread(rotations, batch, 3)
        R_world_joint = np.empty_like(rotations)
        t_world_joint = np.zeros((*batch, model.num_joints, 3), model.dtype)
        t_world_joint[..., 0, :] = moved
        _skinning.forward_kinematics(
            flat(rotations, 3), flat(rest, 2), model.parents,
            flat(R_world_joint, 3), flat(t_world_joint, 2),
        )  # fmt: skip
        return PosedBody(self, rotations, R_world_joint, t_world_joint)


@dataclass(frozen=True, eq=False)
class PosedBody:
    """A body in a pose: where its joints are."""

    shaped: ShapedBody
    R_parent_joint: Array
    """[..., J, 3, 3]."""
    R_world_joint: Array
    """[..., J, 3, 3]."""
    t_world_joint: Array
    """[..., J, 3]: the joints in the world."""

    @property
    def batch(self) -> Batch:
        """The leading axes."""
        return self.R_world_joint.shape[:-3]

    @property
    def T_world_joint(self) -> Array:
        """[..., J, 4, 4]: rigid frames of the joints."""
        T = np.zeros((*self.t_world_joint.shape[:-1], 4, 4), self.t_world_joint.dtype)
        T[..., :3, :3] = self.R_world_joint
        T[..., :3, 3] = self.t_world_joint
        T[..., 3, 3] = 1
        return T

    @property
    def T_world_root(self) -> Array:
        """[..., 4, 4]: the frame of joint 0."""
        return np.asarray(self.T_world_joint[..., 0, :, :])

    @property
    def T_world_rest(self) -> Array:
        """[..., J, 3, 4]: where each joint takes what rests: R x + t, for skinning."""
        rest = self.shaped.rest_joints
        turned = (self.R_world_joint @ rest[..., None])[..., 0]
        shift = (self.t_world_joint - turned)[..., None]
        return np.ascontiguousarray(np.concatenate([self.R_world_joint, shift], axis=-1))

    @property
    def skinning_columns(self) -> Array:
        """[B, J, 4, 4]: the columns of `T_world_rest`, each padded, as compiled loops want them."""
        T = flat(self.T_world_rest, 3)
        columns = np.zeros((*T.shape[:2], 4, 4), T.dtype)
        columns[..., :3] = np.swapaxes(T, -1, -2)
        return columns

    @property
    def pose_features(self) -> Array:
        """[..., J, 9]: the entries of R_parent_joint - I, row by row."""
        difference = self.R_parent_joint - np.eye(3, dtype=self.R_parent_joint.dtype)
        return np.asarray(difference.reshape(*difference.shape[:-2], 9))

    def v_posed(self) -> Array:
        """[..., V, 3]: the vertices at rest with what the pose changes of their shape."""
        rest = self.shaped.v_shaped
        vertices = np.array(np.broadcast_to(rest, (*self.batch, *rest.shape[-2:])), order="C")
        features = np.ascontiguousarray(flat(self.pose_features, 2))
        self.shaped.model.pose_blend.add(features, flat(vertices, 2))
        return vertices

    def vertices(self) -> Array:
        """[..., V, 3]: the surface in the world, by linear blend skinning."""
        model = self.shaped.model
        rest = self.v_posed()
        dst = np.empty_like(rest)
        _skinning.skin(
            self.skinning_columns, model.skin.bones, model.skin.weights,
            flat(rest, 2), flat(dst, 2),
        )  # fmt: skip
        return dst

    def mesh(self) -> Mesh:
        """The surface with its triangles."""
        return Mesh(self.vertices(), self.shaped.model.faces)


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles in the world."""

    vertices: Array
    """[..., V, 3]."""
    faces: NDArray[np.int32]
    """[F, 3], counter-clockwise from outside."""

    def volume(self) -> Array:
        """[...] cubic metres inside a closed surface: the sum of signed tetrahedra."""
        a, b, c = (self.vertices[..., self.faces[:, i], :].astype(np.float64) for i in range(3))
        return np.asarray(np.sum(np.cross(a, b) * c, axis=(-1, -2)) / 6)


def _at_most(name: str, value: ArrayLike | None, count: int, dtype: np.dtype[Any]) -> Array:
    array = np.zeros(0, dtype) if value is None else finite(name, value, dtype)
    if array.ndim == 0 or array.shape[-1] > count:
        raise InputError(f"{name} of shape {array.shape}: the model has {count} of them")
    return array


def _blended(template: Array, directions: Array, coefficients: Array) -> Array:
    """[N, ..., 3]: the template plus the directions times `coefficients` [N, B]."""
    dst = np.tile(template.reshape(1, -1), (len(coefficients), 1))
    _skinning.blend(directions.reshape(len(directions), template.size), coefficients, dst)
    return dst.reshape(len(coefficients), *template.shape)
