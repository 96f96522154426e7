# SPDX-License-Identifier: Apache-2.0
"""From keypoints to a body: pose, shape and camera of a person, and how sure they are."""

from bitpose.body.fit.dense import DensePoints, sample_iuv
from bitpose.body.fit.fitter import Fit, Fitter
from bitpose.body.fit.views import SpacePoints, View

__all__ = ["DensePoints", "Fit", "Fitter", "SpacePoints", "View", "sample_iuv"]
