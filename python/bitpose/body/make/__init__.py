# SPDX-License-Identifier: Apache-2.0
"""Derives the default body from CC0 data: `python -m bitpose.body.make`. For developers."""
