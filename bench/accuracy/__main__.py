# SPDX-License-Identifier: Apache-2.0
"""Prints the table: python -m bench.accuracy [network ...]."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

from bench.accuracy.judge import Trial, judge_noise, judge_onnxruntime, judge_ours
from bench.accuracy.networks import NETWORKS

#: The last is no quantizer: it says how much of a difference means nothing.
JUDGES = {
    "bitpose": judge_ours,
    "onnxruntime": judge_onnxruntime,
    "float32, pixels +-1": judge_noise,
}


def main(names: list[str]) -> None:
    table = Table("network", "", "task", "SQNR", "float MACs", "seconds")
    console = Console(width=140)
    for network in NETWORKS:
        if names and network.name not in names:
            continue
        trial = Trial(network)
        for by, judge in JUDGES.items():
            result = judge(trial)
            *tasks, signal = result.verdicts
            marked = [f"{'+' if verdict.passed else '-'} {verdict.text}" for verdict in tasks]
            share = f"{100 * result.float_share:.1f} %" if by == "bitpose" else ""
            name = network.name if by == "bitpose" else ""
            row = (name, by, "\n".join(marked), signal.text, share, f"{result.seconds:.1f}")
            table.add_row(*row)
            console.print(*row)
    console.print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
