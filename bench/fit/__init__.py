# SPDX-License-Identifier: Apache-2.0
"""How well bodies are fitted to people of known shape and pose that were held out of the prior."""
