# SPDX-License-Identifier: Apache-2.0
"""From a photo to a network's input, and from its outputs to keypoints and pictures."""
