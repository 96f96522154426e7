# SPDX-License-Identifier: Apache-2.0
"""The human surface: a body model, and what is done with it."""

from bitpose.body.keypoints import KeypointRegressor, ShapeAxes
from bitpose.body.layout import SMPL_JOINTS, SMPL_PARENTS, BodyArrays
from bitpose.body.model import BodyModel, Mesh, PosedBody, ShapedBody

__all__ = [
    "SMPL_JOINTS",
    "SMPL_PARENTS",
    "BodyArrays",
    "BodyModel",
    "KeypointRegressor",
    "Mesh",
    "PosedBody",
    "ShapeAxes",
    "ShapedBody",
]
