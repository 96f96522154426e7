# SPDX-License-Identifier: Apache-2.0
"""How near the body beneath comes to clothed people whose bodies are known."""
