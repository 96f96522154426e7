# SPDX-License-Identifier: Apache-2.0
"""The command line: one file per command, `bitpose.cli.main` starts it."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line. Errors that bitpose expects become one message and exit code 1."""
    from bitpose.cli.app import app
    from bitpose.cli.console import errors
    from bitpose.errors import BitposeError

    try:
        app()
    except (BitposeError, OSError) as error:
        errors.print("[bold red]error:[/]", end=" ")
        errors.print(str(error), markup=False, highlight=False)
        sys.exit(1)
