# SPDX-License-Identifier: Apache-2.0
"""How sure a fit is of where joints are: what the picture leaves open, above all in depth.

Near one minimum the energy is a quadratic, whose inverse is a covariance. Another minimum that is
nearly as low (a forearm towards the camera instead of away from it) adds its distance: the result
is the second moment of all guesses about the best.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.fit.landmarks import Landmarks
from bitpose.body.fit.likelihood import derivatives, posture
from bitpose.body.fit.parameters import Guesses
from bitpose.body.fit.solve import Quadratic

Array = NDArray[Any]

#: Energies are compared in units of this, because none is exact: those of 1 would be too sure.
_TEMPERATURE = 4.0


def joint_covariance(
    joints: Landmarks, guesses: Guesses, at: Quadratic, free: NDArray[np.intp]
) -> Array:
    """[J, 3, 3] square metres, of the joints relative to the root, in the world's axes.

    `guesses` are minima, best first; `at` is the energy there.
    """
    points, by_step = derivatives(joints, guesses, posture(joints.skeleton, guesses))
    points = points - points[:, :1]
    by_step = (by_step - by_step[:, :1])[..., free].reshape(len(guesses), -1, len(free))
    hessian = at.hessian[:, free[:, None], free]
    index = np.arange(len(free))
    hessian[:, index, index] += 1e-9 * hessian[:, index, index].max(axis=1, keepdims=True)
    spread = by_step @ np.linalg.solve(hessian, np.swapaxes(by_step, 1, 2))
    joint = np.arange(points.shape[1])
    shape = (len(guesses), len(joint), 3, len(joint), 3)
    of_joints = spread.reshape(shape)[:, joint, :, joint, :]  # [J, N, 3, 3]
    apart = np.swapaxes(points - points[0], 0, 1)  # [J, N, 3]
    moment = of_joints + apart[..., :, None] * apart[..., None, :]
    shares = np.exp((at.energy[0] - at.energy) / _TEMPERATURE)
    return np.asarray(np.einsum("n,jnab->jab", shares / shares.sum(), moment))
