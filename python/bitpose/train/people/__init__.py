# SPDX-License-Identifier: Apache-2.0
"""Pictures of people that never were, with all that is to be known of them: what networks learn
from.

    studio = Studio.load("../shared", "base_mesh.npz", split="train")
    sample = studio.sample(seed=7, size=128)

Equal seeds give equal samples. The order of modules is that of the making: `poses`, `outfits`,
`backdrops`, `scene` (who stands where, seen by which camera), `labels`, `effects`.
"""

from bitpose.train.people.labels import PersonLabels
from bitpose.train.people.studio import Sample, Studio

__all__ = ["PersonLabels", "Sample", "Studio"]
