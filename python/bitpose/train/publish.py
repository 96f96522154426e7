# SPDX-License-Identifier: Apache-2.0
"""`python -m bitpose.train.publish FILE`: one .bpm of trained networks and the body."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

import bitpose
from bitpose.compiler import Model
from bitpose.pose.own_networks import BOXES, PERSON, SCENE
from bitpose.pose.skeleton import COCO_17
from bitpose.train.export import export_network
from bitpose.train.runs import load_network

#: What is in the file beside the networks, and where it comes from.
_ASSETS = {
    "body/default_body.npz": ("bitpose.body", "default_body.npz"),
    "body/default_body.LICENSE.txt": ("bitpose.body", "default_body.LICENSE.txt"),
    "body/default_surface.npz": ("bitpose.body", "default_surface.npz"),
    "body/pose_prior.npz": ("bitpose.body.fit", "pose_prior.npz"),
    "body/pose_prior.LICENSE.txt": ("bitpose.body.fit", "pose_prior.LICENSE.txt"),
}
_LICENCE = (
    "Apache-2.0. Trained on people made up of CC0 bodies, skins and clothes, poses of the CMU "
    "Graphics Lab Motion Capture Database (mocap.cs.cmu.edu, created with funding from NSF "
    "EIA-0196217) and CC0 panoramas and photos; backbones begin with Google's MobileNetV2 "
    "(Apache-2.0)."
)


def main(
    output: Annotated[Path, typer.Argument(help="The .bpm file.")],
    person: Annotated[
        Path | None, typer.Option(help="last.pt of a run of the crop network.")
    ] = None,
    boxes: Annotated[Path | None, typer.Option(help="last.pt of a run of the detector.")] = None,
    scene: Annotated[
        Path | None, typer.Option(help="last.pt of a run of a network for whole pictures.")
    ] = None,
) -> None:
    """Put networks together that `bitpose estimate` takes: a crop network and a detector, or one
    for whole pictures."""
    runs = {PERSON: person, BOXES: boxes, SCENE: scene}
    given = {name: path for name, path in runs.items() if path is not None}
    if set(given) not in ({PERSON, BOXES}, {SCENE}):
        raise typer.BadParameter("give --person and --boxes, or --scene")
    networks = {name: compiled(path) for name, path in given.items()}
    body = {name: (files(p) / file).read_bytes() for name, (p, file) in _ASSETS.items()}
    model = bitpose.bundle(
        networks,
        {
            "licence": _LICENCE,
            "pixels": "uint8, RGB, channels last; people in squares of 1.25 times their box",
            "labels": json.dumps({"keypoints": COCO_17.keypoints}),
        },
        body,
    )
    model.save(output)
    typer.echo(f"{output}: {len(model.data) / 1e6:.2f} MB, sha256 {model.sha256}")


def compiled(checkpoint: Path) -> Model:
    """The network of a checkpoint."""
    network, run = load_network(checkpoint)
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{run.design}.onnx"
        export_network(network, run.size, path)
        return bitpose.compile(path)


if __name__ == "__main__":
    typer.run(main)
