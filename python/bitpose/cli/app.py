# SPDX-License-Identifier: Apache-2.0
"""The commands by name."""

from __future__ import annotations

import typer

from bitpose.cli.bench import bench
from bitpose.cli.compare import compare
from bitpose.cli.compile import compile_model
from bitpose.cli.demo import demo
from bitpose.cli.estimate import estimate
from bitpose.cli.inspect import inspect
from bitpose.cli.run import run
from bitpose.cli.selftest import selftest

app = typer.Typer(
    name="bitpose",
    help="A quantized inference engine: the same bits on every CPU.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("compile")(compile_model)
app.command("run")(run)
app.command("estimate")(estimate)
app.command("bench")(bench)
app.command("inspect")(inspect)
app.command("compare")(compare)
app.command("selftest")(selftest)
app.command("demo")(demo)
