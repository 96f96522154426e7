# SPDX-License-Identifier: Apache-2.0
"""From runs to a file that `bitpose.Estimator` takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

import bitpose
from bitpose.train.people import Studio

torch = pytest.importorskip("torch")


def test_a_file_has_all_that_an_estimator_needs(tmp_path: Path) -> None:
    import typer

    from bitpose.train import __main__ as train
    from bitpose.train import publish

    app = typer.Typer()
    app.command("train")(train.main)
    app.command("publish")(publish.main)
    for design in ("crop", "boxes"):
        options = ["--design", design, "--width", "0.25", "--batch", "2", "--steps", "1"]
        arguments = ["train", str(tmp_path / design), *options, "--workers", "0", "--quantized"]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
    path = tmp_path / "people.bpm"
    runs = [
        f"--{name}={tmp_path / run / 'last.pt'}"
        for name, run in (("person", "crop"), ("boxes", "boxes"))
    ]
    result = CliRunner().invoke(app, ["publish", str(path), *runs])
    assert result.exit_code == 0, result.output
    file = bitpose.ModelFile(path)
    assert set(file.networks) == {"person", "boxes"}
    assert "body/default_body.npz" in file.assets
    assert "Apache-2.0" in file.metadata["licence"]
    picture = Studio.load(None, None, "test").sample(0, 256).picture
    people = bitpose.Estimator(path, threshold=0.0)(picture)
    assert people
    for person in people:
        assert person.surface is not None
        assert person.body is not None
    result = CliRunner().invoke(app, ["publish", str(path), runs[0]])
    assert result.exit_code == 2
    assert "--scene" in result.output


def test_a_network_for_whole_pictures(tmp_path: Path) -> None:
    import typer

    from bitpose.train import __main__ as train
    from bitpose.train import publish

    app = typer.Typer()
    app.command("train")(train.main)
    app.command("publish")(publish.main)
    options = ["--design", "scene", "--width", "0.25", "--batch", "2", "--steps", "1"]
    arguments = ["train", str(tmp_path / "run"), *options, "--workers", "0", "--quantized"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    path = tmp_path / "scene.bpm"
    checkpoint = str(tmp_path / "run" / "last.pt")
    result = CliRunner().invoke(app, ["publish", str(path), "--scene", checkpoint])
    assert result.exit_code == 0, result.output
    picture = Studio.load(None, None, "test").sample(0, 256).picture
    for person in bitpose.Estimator(path, threshold=0.0)(picture):
        assert person.surface is not None
