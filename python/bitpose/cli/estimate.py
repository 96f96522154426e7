# SPDX-License-Identifier: Apache-2.0
"""`bitpose estimate`: the people in photos and sequences."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bitpose.cli.console import Report, Threads, console
from bitpose.cli.pictures import Bgr, Divisor, Offset, picture_files
from bitpose.errors import InputError

if TYPE_CHECKING:
    from bitpose.pose.estimate import Estimator
    from bitpose.pose.feed import Pixels
    from bitpose.pose.frames import Frames
    from bitpose.pose.person import Person


def estimate(
    photos: Annotated[
        list[Path], typer.Argument(help="Pictures, or folders of pictures.", exists=True)
    ],
    network: Annotated[
        Path | None,
        typer.Option(
            help="A network that looks at one person: .onnx or .bpm. Default: bitpose's own.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    detector: Annotated[
        Path | None,
        typer.Option(
            help="A detector of people. Default: bitpose's own with its network; with another a "
            "photo shows one person.",
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
    sequence: Annotated[
        bool | None,
        typer.Option(
            "--sequence/--photos",
            help="Pictures are the frames of a sequence, sorted by name in a folder. Default: "
            "only those of one animated GIF, WebP or PNG are.",
        ),
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(help="Frames a second of a sequence. Default: 30, or the animation's own."),
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
    kind: Annotated[
        str | None,
        typer.Option(help="Kind of the network, if its outputs do not tell: docs/estimate.md."),
    ] = None,
    fit_surface: Annotated[
        bool, typer.Option(help="Fit what the network says of U and V, on bitpose's charts.")
    ] = True,
    bgr: Bgr = False,
    offset: Offset = None,
    divisor: Divisor = None,
    threads: Threads = 1,
) -> None:
    """Find people: boxes, keypoints, and a body with pose, shape and surface for each.

    For each photo a folder of its name is written: people.json, the bodies over the photo
    (overlay.png), from the side (side.png), as a map of the body's surface (iuv.png), and the
    keypoints (skeleton.png), and each body's mesh (person1.obj, person1.glb). Networks are
    recognised by their outputs: MoveNet, BodyPix, EfficientPose, heatmaps or SimCC of COCO's
    keypoints, DensePose's S, I, U and V; YOLOX, NanoDet, FastestDet, SSD. A photo that cannot be
    read does not keep the others from being looked at; the exit code is 1 then. In a sequence
    people keep their numbers, their motion is smooth, and one mesh that moves is written for each.
    """
    from bitpose.pose.estimate import Estimator
    from bitpose.pose.frames import Frames, is_animation

    files = picture_files(photos)
    _check_folders(files, output)
    animated = len(files) == 1 and is_animation(files[0])
    if sequence is None:
        sequence = animated and files == photos
    if fps is not None and not sequence:
        raise InputError("--fps is of sequences; say --sequence for a folder of frames")
    estimator = Estimator(
        network,
        detector,
        threshold=threshold,
        focal=focal,
        threads=threads,
        refine=refine,
        kind=kind,
        pixels=_pixels(bgr, offset, divisor),
        fit_surface=fit_surface,
    )
    if sequence:
        frames = Frames.of(files[0] if animated else files, fps)
        _frames(estimator, frames, output, coco)
    else:
        _photos(estimator, files, output, coco)


def _pixels(bgr: bool, offset: float | None, divisor: float | None) -> Pixels | None:
    """The format of a network's input, where an option says any of it."""
    from bitpose.pose.feed import Pixels

    if not bgr and offset is None and divisor is None:
        return None
    return Pixels(bgr, offset or 0.0, 255.0 if divisor is None else divisor)


def _photos(estimator: Estimator, files: Sequence[Path], output: Path, coco: Path | None) -> None:
    from rich.progress import track

    from bitpose.pose.files import write_people
    from bitpose.pose.person import coco_results
    from bitpose.pose.photo import load_photo

    image_ids = None if coco is None else _ids([file.stem for file in files])
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
        write_people(people, photo, output / file.stem)
        _add_rows(report, file.name, people)
        if image_ids is not None:
            results += coco_results(people, image_ids[file.stem])
    if len(unread) < len(files):
        _tell(report, output, len(files) - len(unread))
    _write_results(results, coco)
    if unread:
        raise InputError("\n".join(map(str, unread)))


def _frames(estimator: Estimator, frames: Frames, output: Path, coco: Path | None) -> None:
    from rich.progress import track

    from bitpose.pose.files import write_motions, write_people
    from bitpose.pose.person import coco_results

    names = frames.names or ()
    image_ids = None if coco is None else _ids(names)
    progress = partial(track, console=console, transient=True)
    found = estimator.sequence(frames, progress=progress)
    report = _of_sequence(found)
    output.mkdir(parents=True, exist_ok=True)
    write_motions(found, frames.frames_per_second, output)
    results: list[dict[str, Any]] = []
    waiting = deque(found)
    del found
    for frame in progress(frames, "pictures", len(names)):
        people = waiting.popleft()  # With the meshes that are made to be drawn.
        write_people(people, frame.photo, output / frame.name, frame.seconds, meshes=False)
        if image_ids is not None:
            results += coco_results(people, image_ids[frame.name])
    _tell(report, output, len(names))
    _write_results(results, coco)


def _check_folders(files: Sequence[Path], output: Path) -> None:
    """Raises InputError where what is found in two photos would go to one folder."""
    owners: dict[str, Path] = {}
    for file in files:
        other = owners.setdefault(file.stem, file)
        if other != file:
            raise InputError(f"{other} and {file} would both be written to {output / file.stem}")


def _ids(names: Sequence[str]) -> dict[str, int]:
    """COCO's pictures are called by their numbers."""
    for name in names:
        if not name.isdigit():
            raise InputError(f"--coco needs files called by their image ids, got {name!r}")
    return {name: int(name) for name in names}


def _tell(report: Report, output: Path, folders: int) -> None:
    console.print(report)
    console.print(f"wrote {output}{'' if folders == 1 else f' ({folders} folders)'}")


def _write_results(results: Sequence[dict[str, Any]], coco: Path | None) -> None:
    if coco is not None:
        coco.write_text(json.dumps(results), "utf-8")
        console.print(f"wrote {coco}")


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


def _of_sequence(found: Sequence[Sequence[Person]]) -> Report:
    """A row for each person."""
    report = Report("people", "person", "frames", "missed", "score", "depth, m")
    numbers = sorted({person.id for people in found for person in people if person.id})
    for number in numbers:
        shown = [(i, p) for i, people in enumerate(found, 1) for p in people if p.id == number]
        scores = [person.score for _, person in shown if person.score > 0]
        depths = [person.body.translation[2] for _, person in shown if person.body is not None]
        report.add_row(
            str(number),
            f"{shown[0][0]} - {shown[-1][0]}",
            str(len(shown) - len(scores)),
            f"{sum(scores) / len(scores):.2f}",
            f"{min(depths):.2f} - {max(depths):.2f}" if depths else "-",
        )
    return report
