# SPDX-License-Identifier: Apache-2.0
"""From keypoints to a body: pose, shape and camera of a person, and how sure they are."""
