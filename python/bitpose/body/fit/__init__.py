# SPDX-License-Identifier: Apache-2.0
"""From keypoints to a body: pose, shape and camera of a person, and how sure they are."""

from bitpose.body.fit.dense import DensePoints, sample_iuv
from bitpose.body.fit.fitter import Fit, Fitter
from bitpose.body.fit.prediction import Prediction
from bitpose.body.fit.scene import SceneFit, fit_scene
from bitpose.body.fit.sequence import SequenceFit, fit_sequence
from bitpose.body.fit.views import SpacePoints, View

__all__ = [
    "DensePoints",
    "Fit",
    "Fitter",
    "Prediction",
    "SceneFit",
    "SequenceFit",
    "SpacePoints",
    "View",
    "fit_scene",
    "fit_sequence",
    "sample_iuv",
]
