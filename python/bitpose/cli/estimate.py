# SPDX-License-Identifier: Apache-2.0
"""`bitpose estimate`: the people in photos."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bitpose.cli.console import Report, Threads, console
from bitpose.cli.pictures import picture_files
from bitpose.errors import InputError

if TYPE_CHECKING:
    from bitpose.pose.person import Person


def estimate(
    photos: Annotated[
        list[Path], typer.Argument(help="Pictures, or folders of pictures.", exists=True)
    ],
    network: Annotated[
        Path, typer.Option(help="A keypoint network: .onnx or .bpm.", exists=True, dir_okay=False)
    ],
    detector: Annotated[
        Path | None,
        typer.Option(
            help="A detector of people; without one a photo shows one person.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Directory for what is found.")
    ] = Path("people"),
    coco: Annotated[
        Path | None, typer.Option(help="Write COCO keypoint results to this file as well.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Least score of a person's box.", min=0, max=1)
    ] = None,
    focal: Annotated[
        float | None,
        typer.Option(help="Focal length in pixels. Default: the photo's own, or a usual one."),
    ] = None,
    refine: Annotated[
        Literal["warm", "full", "none"],
        typer.Option(
            help="What becomes of a body that the network predicts: a fit starts there, starts "
            "from everywhere, or there is none. Networks that give keypoints only predict none: "
            "full."
        ),
    ] = "warm",
    threads: Threads = 1,
) -> None:
    """Find people: boxes, keypoints, and a body with pose, shape and surface for each.

    For each photo a folder of its name is written: people.json, the bodies over the photo
    (overlay.png), from the side (side.png), as a map of the body's surface (iuv.png), and the
    keypoints (skeleton.png), and each body's mesh (person1.obj, person1.glb). Networks are
    recognised by their outputs: MoveNet, BodyPix, EfficientPose, heatmaps or SimCC of COCO's
    keypoints; YOLOX, NanoDet, FastestDet, SSD. A photo that cannot be read does not keep the
    others from being looked at; the exit code is 1 then.
    """
    from rich.progress import track

    from bitpose.pose.estimate import Estimator
    from bitpose.pose.files import write_people
    from bitpose.pose.person import coco_results
    from bitpose.pose.photo import load_photo

    files = picture_files(photos)
    folders = _folders(files, output)
    image_ids = None if coco is None else _ids(files)
    estimator = Estimator(
        network, detector, threshold=threshold, focal=focal, threads=threads, refine=refine
    )
    results: list[dict[str, Any]] = []
    report = Report("people", "photo", "person", "box", "score", "keypoints", "depth, m", text=3)
    unread: list[InputError] = []
    for file in track(files, "photos", console=console, transient=True):
        try:
            photo = load_photo(file)
        except InputError as error:
            unread.append(error)
            continue
        people = estimator(photo)
        write_people(people, photo, folders[file])
        _add_rows(report, file.name, people)
        if image_ids is not None:
            results += coco_results(people, image_ids[file])
    if len(unread) < len(files):
        written = len(files) - len(unread)
        console.print(report)
        console.print(f"wrote {output}{'' if written == 1 else f' ({written} folders)'}")
    if coco is not None:
        coco.write_text(json.dumps(results), "utf-8")
        console.print(f"wrote {coco}")
    if unread:
        raise InputError("\n".join(map(str, unread)))


def _folders(files: Sequence[Path], output: Path) -> dict[Path, Path]:
    """Where what is found in each photo goes. Raises InputError where two would share a folder."""
    owners: dict[str, Path] = {}
    for file in files:
        other = owners.setdefault(file.stem, file)
        if other != file:
            raise InputError(f"{other} and {file} would both be written to {output / file.stem}")
    return {file: output / file.stem for file in files}


def _ids(files: Sequence[Path]) -> dict[Path, int]:
    """COCO's pictures are called by their numbers."""
    for file in files:
        if not file.stem.isdigit():
            raise InputError(f"--coco needs files called by their image ids, got {file.name!r}")
    return {file: int(file.stem) for file in files}


def _add_rows(report: Report, name: str, people: Sequence[Person]) -> None:
    if not people:
        report.add_row(name, "nobody", "", "", "", "", style="dim")
    for number, person in enumerate(people, 1):
        left, top, right, bottom = person.box
        depth = "-" if person.posed is None else f"{person.posed.t_world_joint[0, 2]:.2f}"
        report.add_row(
            name if number == 1 else "",
            str(number),
            f"{left:.0f}, {top:.0f} - {right:.0f}, {bottom:.0f}",
            f"{person.score:.2f}",
            f"{person.keypoints.score.mean():.2f}",
            depth,
        )
