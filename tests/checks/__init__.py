# SPDX-License-Identifier: Apache-2.0
"""Release checks: what the built objects and the source tree must look like."""
