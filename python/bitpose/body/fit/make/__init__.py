# SPDX-License-Identifier: Apache-2.0
"""Derives the pose prior that comes with the package from motion capture."""
