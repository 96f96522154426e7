# SPDX-License-Identifier: Apache-2.0
"""`python -m bitpose` is the command line."""

from bitpose.cli import main

main()
