# SPDX-License-Identifier: Apache-2.0
"""Every kernel of the build, driven from Python."""
