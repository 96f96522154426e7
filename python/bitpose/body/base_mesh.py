# SPDX-License-Identifier: Apache-2.0
"""The MakeHuman base mesh as a body with the joints, betas and pose features of the default body.

It is for whoever dresses the default body: skins have the base mesh's UVs, and garments, hair and
face parts bind to its vertices, the invisible helpers among them. The file is not in the package;
`python -m bitpose.body.make FOLDER` writes it as `base_mesh.npz`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from bitpose.body import default
from bitpose.body.batches import finite
from bitpose.body.model import BodyModel
from bitpose.errors import InputError, InvalidModelError

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class BaseMesh:
    """All vertices of the base mesh hm08, by its own numbers, and how they belong to the body."""

    model: BodyModel
    """A body of 19158 vertices. Its faces are the visible skin's."""
    quads: NDArray[np.int32]
    """[13378, 4]: the same as the quads of the base mesh, for its UVs."""
    kept: NDArray[np.int32]
    """[V]: the vertices of the default body in the base mesh."""
    R_zero_makehuman: Array
    """[24, 3, 3]: how each joint's part was turned from MakeHuman's pose into the zero pose."""

    @classmethod
    def load(cls, path: str | PathLike[str], dtype: DTypeLike = np.float32) -> BaseMesh:
        """Raises InvalidModelError for another file, OSError where it cannot be read."""
        try:
            with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as archive:
                arrays = dict(archive)
            quads = arrays["quads"].astype(np.int32)
            arrays["faces"] = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
            model = default.from_file(arrays | default.joint_regressor(), dtype)
            kept, turned = arrays["kept"].astype(np.int32), arrays["R_zero_makehuman"]
        except (BadZipFile, InvalidModelError, LookupError, ValueError) as error:
            raise InvalidModelError(f"{path} is no base mesh: {error}") from None
        body = BodyModel.load(dtype=dtype)
        model = replace(model, J_template=body.J_template, J_shapedirs=body.J_shapedirs)
        return cls(model, quads, kept, turned)

    def bind(self, references: ArrayLike, shares: ArrayLike, offsets: ArrayLike) -> BodyModel:
        """A body whose N vertices hang on the base mesh: a garment, hair, eyes.

        Vertex n lies at the mean of the base vertices `references` [N, k] by `shares` [N, k], plus
        `offsets` [N, 3], metres along the axes of MakeHuman's rest pose, as .mhclo files have them.
        It has no faces. Raises InputError for wrong shapes or indices.
        """
        model = self.model
        refs, parts = np.asarray(references), finite("shares", shares, model.dtype)
        moved = finite("offsets", offsets, model.dtype)
        if refs.shape != parts.shape or refs.ndim != 2 or moved.shape != (len(refs), 3):
            raise InputError(f"bindings of shapes {refs.shape}, {parts.shape}, {moved.shape}")
        if refs.dtype.kind not in "iu":
            raise InputError(f"bindings to vertices by {refs.dtype}: must be integers")
        if refs.size and not 0 <= int(refs.min()) <= int(refs.max()) < len(model.v_template):
            raise InputError(f"bindings to vertices beyond the {len(model.v_template)}")
        skin = model.skin.mixed(refs, parts, model.num_joints)
        turned = np.einsum(
            "nj,jrc,nc->nr", skin.to_dense(model.num_joints), self.R_zero_makehuman, moved
        )
        at = np.einsum("nk,nkc->nc", parts, model.v_template[refs])
        return replace(
            model,
            v_template=(at + turned).astype(model.dtype),
            shapedirs=np.einsum("nk,bnkc->bnc", parts, model.shapedirs[:, refs]),
            pose_blend=model.pose_blend.mixed(refs, parts, len(model.v_template)),
            skin=skin,
            faces=np.empty((0, 3), np.int32),
        )
