# SPDX-License-Identifier: Apache-2.0
"""Networks of `bitpose.train`, as files hold them: one that finds boxes and one that looks into
them, or one that sees all at once. `people.bpm` has those that come with bitpose."""

from __future__ import annotations

from importlib.resources import files
from os import PathLike
from pathlib import Path

from bitpose.contents import ModelFile
from bitpose.errors import InputError
from bitpose.session import InferenceSession

#: Names of networks in files of `bitpose.train.publish`.
PERSON, BOXES, SCENE = "person", "boxes", "scene"
Network = InferenceSession | str | PathLike[str]


def packaged() -> Path:
    """The file that comes with bitpose. Raises InputError where it is missing."""
    path = Path(str(files("bitpose.pose") / "people.bpm"))
    if not path.exists():
        raise InputError("this bitpose comes without networks; name some")
    return path


def opened(
    network: Network | None, detector: Network | None, threads: int
) -> tuple[InferenceSession, InferenceSession | None]:
    """The network that looks at a person, and the detector, if there is one.

    Where `network` is a file with both, `detector` takes the place of its own. None for `network`
    means the file that comes with bitpose.
    """
    source = packaged() if network is None else network
    if isinstance(source, InferenceSession) or not _has_both(Path(source)):
        boxes = None if detector is None else _session(detector, threads)
        return _session(source, threads), boxes
    person = InferenceSession(source, threads=threads, network=PERSON)
    if detector is None:
        return person, InferenceSession(source, threads=threads, network=BOXES)
    return person, _session(detector, threads)


def _has_both(path: Path) -> bool:
    return path.suffix == ".bpm" and {PERSON, BOXES} <= set(ModelFile(path).networks)


def _session(network: Network, threads: int) -> InferenceSession:
    if isinstance(network, InferenceSession):
        return network
    return InferenceSession(network, threads=threads)
