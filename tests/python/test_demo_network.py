# SPDX-License-Identifier: Apache-2.0
"""The demo network's bytes."""

from __future__ import annotations

import hashlib

from bitpose.pose.demo_network import build_network, synthetic_pictures


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def test_bytes_are_the_same_everywhere() -> None:
    """The hash covers weights and names. It changes when the network does, and only then."""
    weights = b"".join(t.raw_data for t in build_network().graph.initializer)
    assert sha256(weights) == "5d00396d08a7c1bd"
    assert sha256(synthetic_pictures(2).tobytes()) == "35762887a956256e"
