# SPDX-License-Identifier: Apache-2.0
"""Settings of all tests."""

from __future__ import annotations

import hypothesis

# Emulated and shared machines are slow now and then: time is no reason to fail.
hypothesis.settings.register_profile("bitpose", deadline=None, max_examples=50)
hypothesis.settings.load_profile("bitpose")
