# SPDX-License-Identifier: Apache-2.0
"""What `bitpose.estimate` finds in annotated photos."""
