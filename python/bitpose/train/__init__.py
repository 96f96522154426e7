# SPDX-License-Identifier: Apache-2.0
"""Training of bitpose's own networks. Nothing that runs networks imports it."""
