# SPDX-License-Identifier: Apache-2.0
"""The internal graph, its validator, its printer and its reference executor."""
