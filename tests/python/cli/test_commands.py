# SPDX-License-Identifier: Apache-2.0
"""The commands as a user calls them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import bitpose
from bitpose import _core
from bitpose.cli.app import app
from bitpose.errors import InputError, UnsupportedModelError

from .. import shared
from ..tiny import colour_means, constant

#: Of the demo network's outputs in float32 and int8, on every machine. They change only when the
#: network, the compiler or the arithmetic does.
DEMO_HEATMAPS = ("fb9154a434590a87", "427afa8e33347898")


def invoke(*arguments: str) -> str:
    """What a command prints; it must succeed."""
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_help_names_every_command() -> None:
    text = invoke("--help")
    for command in (
        "compile",
        "run",
        "estimate",
        "bench",
        "inspect",
        "compare",
        "selftest",
        "demo",
    ):
        assert command in text


def test_selftest() -> None:
    text = invoke("selftest", "--problems", "2")
    assert "igemm_qs8" in text
    assert "demo network, int8" in text
    assert "all bits agree" in text


@pytest.fixture
def classifier(tmp_path: Path) -> Path:
    """A float network [1, 3, 8, 8] -> [1, 4]."""
    path = tmp_path / "tiny.onnx"
    path.write_bytes(colour_means().SerializeToString())
    return path


def test_compile_writes_a_model_that_the_others_take(classifier: Path) -> None:
    assert "tiny.bpm" in invoke("compile", str(classifier))
    compiled = classifier.with_suffix(".bpm")
    assert compiled.read_bytes().startswith(b"bitpose")
    other = compiled.with_name("other.bpm")
    invoke("compile", str(classifier), "--output", str(other))
    assert other.read_bytes() == compiled.read_bytes()

    text = invoke("inspect", str(compiled))
    assert "conv2d_f32" in text
    assert "float32[1, 3, 8, 8]" in text
    assert "arena, lower bound" in text
    assert "conv2d_f32" in invoke("inspect", str(compiled), "--summary")
    assert "all bits agree" in invoke("selftest", str(compiled), "--problems", "1")


@pytest.fixture
def bundled(classifier: Path) -> Path:
    """The classifier and another network in one file."""
    answer = bitpose.compile(constant(np.array([[4.0, 2.0]]), 4), licence="MIT\nAll of it.")
    networks = {"colours": bitpose.compile(classifier), "answer": answer}
    path = classifier.with_name("both.bpm")
    bitpose.bundle(networks, {"labels/licence": "CC0-1.0"}, {"labels": bytes(1500)}).save(path)
    return path


def test_inspect_shows_all_that_a_file_holds(bundled: Path) -> None:
    text = invoke("inspect", str(bundled))
    for shown in (
        "network colours: 0.0 MMAC, 64 B of weights",
        "network answer: ",
        "float32[1, 4, 4, 3]",
        "float32[1, 3, 8, 8]",
        "answer/producer",
        "1.5 kB",
    ):
        assert shown in text
    rows = [line.split() for line in text.splitlines()]
    assert ["answer/licence", "MIT", "..."] in rows
    assert ["labels/licence", "CC0-1.0"] in rows
    assert "conv2d_f32" in text
    other = invoke("inspect", str(bundled), "--network", "answer")
    assert "operators of answer" in other
    assert "conv2d_f32" not in other
    assert "network colours" in other


def test_networks_of_a_file_are_picked_by_name(bundled: Path, classifier: Path) -> None:
    files = (str(bundled), str(classifier))
    text = invoke("bench", str(bundled), "--runs", "1", "--network", "answer")
    assert "both.bpm: answer" in text
    assert "conv2d_f32" not in text
    assert "inf" in invoke("compare", *files, "--network", "colours")
    photo = bundled.with_name("photo.png")
    Image.new("RGB", (4, 4)).save(photo)
    assert "4.0000" in invoke("run", str(bundled), str(photo), "--network", "answer")
    text = invoke("selftest", str(bundled), "--problems", "1")
    assert "both.bpm: colours" in text
    assert "both.bpm: answer" in text
    for command in (["inspect", files[0]], ["bench", *files], ["compare", *files]):
        with pytest.raises(InputError, match="no network 'pose'; it has 'colours', 'answer'"):
            invoke(*command, "--network", "pose")
    for command in (["inspect", files[1]], ["bench", files[1]], ["compare", files[1], files[1]]):
        with pytest.raises(InputError, match=r"'colours' is for \.bpm files"):
            invoke(*command, "--network", "colours")


def test_compile_binds_free_extents(tmp_path: Path) -> None:
    network = colour_means()
    network.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "height"
    path = tmp_path / "free.onnx"
    path.write_bytes(network.SerializeToString())
    with pytest.raises(UnsupportedModelError, match="free extents"):
        invoke("compile", str(path))
    invoke("compile", str(path), "--shape", "x=1,3,8,8")
    assert "float32[1, 3, 8, 8]" in invoke("inspect", str(path.with_suffix(".bpm")))
    with pytest.raises(InputError, match="--shape needs"):
        invoke("compile", str(path), "--shape", "x=wide")


def test_bench_lists_models_and_their_operators(classifier: Path) -> None:
    figures = classifier.with_name("figures.json")
    other = classifier.with_name("other.onnx")
    other.write_bytes(classifier.read_bytes())
    files = (str(classifier), str(other))
    text = invoke("bench", *files, "--runs", "3", "--layers", "1", "--json", str(figures))
    assert "all others" in text
    models = json.loads(figures.read_text("utf-8"))["models"]
    assert [row["model"] for row in models] == ["tiny.onnx", "other.onnx"]
    for row in models:
        assert 0 < row["p10_ms"] <= row["median_ms"] <= row["p90_ms"]
        assert sum(layer["macs"] for layer in row["layers"]) > 0
        assert any(layer["operator"] == "conv2d_f32" for layer in row["layers"])
    assert "operators, the slowest" not in invoke("bench", files[0], "--runs", "1", "--layers", "0")


def test_bench_beside_onnxruntime(classifier: Path) -> None:
    pytest.importorskip("onnxruntime")
    text = invoke("bench", str(classifier), "--runs", "3", "--onnxruntime")
    rows = [row.split() for row in text.splitlines()]
    assert [row[1] for row in rows if row[:1] == ["tiny.onnx"]] == ["bitpose", "onnxruntime"]


def test_bench_times_every_kernel_of_a_family(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    arguments = ("bench", "--kernels", "--filter", "row_sum", "--samples", "1")
    text = invoke(*arguments, "--json", str(figures))
    kernels = {name for family, name, _, runs in _core.kernels() if runs and "row_sum" in family}
    rows = json.loads(figures.read_text("utf-8"))["kernels"]
    assert {row["kernel"] for row in rows} == kernels
    assert all(name in text for name in kernels)
    for row in rows:
        assert row["bytes"] > 0
        assert 0 < row["p10_seconds"] <= row["median_seconds"] <= row["p90_seconds"]
        if row["isa"] == "scalar":
            assert row["portable_seconds"] == row["median_seconds"]


def test_bench_of_portable_kernels_alone() -> None:
    arguments = ("bench", "--kernels", "--filter", "row_sum", "--samples", "1")
    assert "avx" not in invoke(*arguments, "--isa", "scalar").split("\n", 1)[1]


def test_bench_wants_one_kind_of_work(classifier: Path) -> None:
    for arguments in (
        ["bench"],
        ["bench", str(classifier), "--kernels"],
        ["bench", str(classifier), "--filter", "igemm"],
        ["bench", "--kernels", "--filter", "no such kernel"],
        ["bench", "--kernels", "--network", "net"],
    ):
        assert isinstance(CliRunner().invoke(app, arguments).exception, InputError)


@pytest.mark.parametrize(
    ("options", "first", "value"),
    [((), "1 green", 0.8), (("--bgr", "--divisor", "1"), "1 green", 204), (("--bgr",), "", 0.2)],
)
def test_run_lists_classes(
    classifier: Path, tmp_path: Path, options: tuple[str, ...], first: str, value: float
) -> None:
    photo = tmp_path / "photo.png"
    Image.new("RGB", (16, 16), (51, 204, 102)).save(photo)
    labels = tmp_path / "labels.txt"
    labels.write_text("red\ngreen\nblue\nall\n")
    rows = invoke(
        "run", str(classifier), str(photo), "--labels", str(labels), "--top", "4", *options
    ).splitlines()
    classes = [row.split() for row in rows if row.split()[1:2] and row.split()[0].isdigit()]
    assert len(classes) == 4
    if first:
        assert " ".join(classes[0][:2]) == first
        assert float(classes[0][2]) == pytest.approx(value, rel=1e-3)
    else:  # Blue stands first: what is called red is the photo's blue.
        assert [row[1] for row in classes] == ["green", "all", "red", "blue"]
        assert float(classes[-1][2]) == pytest.approx(value, rel=1e-3)


def test_run_draws_keypoints(tmp_path: Path) -> None:
    drawn = tmp_path / "drawn.png"
    text = invoke(
        "run",
        str(shared.model("movenet_lightning_ptq")),
        str(shared.image("coral_squat.bmp")),
        "--keypoints",
        str(drawn),
    )
    assert "COCO-17 (MoveNet)" in text
    assert "right_ankle" in text
    with Image.open(drawn) as image:
        assert image.size == (500, 610)


def test_run_knows_a_uniform() -> None:
    text = invoke(
        "run",
        str(shared.model("mobilenet_v2_quant")),
        str(shared.image("coral_grace_hopper.bmp")),
        "--labels",
        str(shared.image("imagenet_labels.txt")),
        "--top",
        "1",
    )
    assert "military uniform" in text


def test_run_refuses_what_it_cannot_draw(classifier: Path, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    Image.new("RGB", (4, 4)).save(photo)
    arguments = ["run", str(classifier), str(photo)]
    with pytest.raises(InputError, match="no known kind of keypoint network"):
        invoke(*arguments, "--keypoints", str(tmp_path / "out.png"))
    with pytest.raises(InputError, match="--box needs left,top,width,height"):
        invoke(*arguments, "--box", "1,2")


@pytest.fixture
def upright(tmp_path: Path) -> Path:
    """A network that sees a person upright, wherever it looks."""
    y = [10, 9, 9, 9, 9, 14, 14, 20, 20, 25, 25, 25, 25, 32, 32, 39, 39]
    x = [24, 25, 23, 26, 22, 28, 20, 29, 19, 29, 19, 27, 21, 27, 21, 27, 21]
    seen = np.stack([np.array(y) / 48, np.array(x) / 48, np.full(17, 0.9)], 1)
    path = tmp_path / "net.onnx"
    path.write_bytes(constant(seen[None, None], 48).SerializeToString())
    return path


def photos_of(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        Image.new("RGB", (96, 96), (90, 120, 150)).save(folder / name)
    return folder


def test_estimate_writes_a_folder_for_each_photo(upright: Path, tmp_path: Path) -> None:
    photos = photos_of(tmp_path / "photos", "7.png", "12.png")
    coco, folder = tmp_path / "results.json", tmp_path / "people"
    arguments = ["estimate", str(photos), "--network", str(upright), "-o", str(folder)]
    text = invoke(*arguments, "--coco", str(coco))
    assert "2 folders" in text
    names = {"people.json", "overlay.png", "surface.png", "side.png", "iuv.png", "skeleton.png"}
    names |= {"person1.obj", "person1.glb"}
    for name in ("7", "12"):
        assert {path.name for path in (folder / name).iterdir()} == names
    assert sorted(row["image_id"] for row in json.loads(coco.read_text())) == [7, 12]
    (photos / "7.png").rename(photos / "seven.png")
    with pytest.raises(InputError, match="image ids"):
        invoke(*arguments, "--coco", str(coco))


def test_estimate_goes_on_behind_a_broken_photo(upright: Path, tmp_path: Path) -> None:
    photos = photos_of(tmp_path / "photos", "7.png")
    (photos / "3.png").write_bytes(b"no picture")
    coco, folder = tmp_path / "results.json", tmp_path / "people"
    arguments = ["estimate", str(photos), "--network", str(upright), "-o", str(folder)]
    with pytest.raises(InputError, match=r"3\.png"):
        invoke(*arguments, "--coco", str(coco))
    assert [path.name for path in folder.iterdir()] == ["7"]
    assert [row["image_id"] for row in json.loads(coco.read_text())] == [7]


def test_estimate_refuses_to_write_two_photos_to_one_folder(upright: Path, tmp_path: Path) -> None:
    photos = photos_of(tmp_path / "photos", "7.png", "7.jpg")
    with pytest.raises(InputError, match=r"7\.jpg and .*7\.png would both"):
        invoke("estimate", str(photos), "--network", str(upright), "-o", str(tmp_path / "people"))


def test_estimate_follows_people_through_a_sequence(upright: Path, tmp_path: Path) -> None:
    frames = photos_of(tmp_path / "frames", "1.png", "2.png", "10.png")
    folder, coco = tmp_path / "people", tmp_path / "results.json"
    arguments = ["--network", str(upright), "-o", str(folder)]
    text = invoke(
        "estimate", str(frames), *arguments, "--sequence", "--fps", "20", "--coco", str(coco)
    )
    assert "3 folders" in text
    assert "1 - 3" in text
    for number, name in enumerate(("1", "2", "10")):
        found = json.loads((folder / name / "people.json").read_text())
        assert found["seconds"] == number / 20
        assert [person["id"] for person in found["people"]] == [1]
        assert (folder / name / "overlay.png").exists()
        assert not (folder / name / "person1.obj").exists()
    assert (folder / "person1.glb").exists()
    assert [row["image_id"] for row in json.loads(coco.read_text())] == [1, 2, 10]
    again = photos_of(tmp_path / "again", "2.png")
    with pytest.raises(InputError, match=r"2\.png and .*2\.png would both"):
        invoke("estimate", str(frames), str(again), *arguments, "--sequence")
    with pytest.raises(InputError, match="--sequence for a folder"):
        invoke("estimate", str(frames), *arguments, "--fps", "20")


def test_estimate_takes_an_animation_for_a_sequence(upright: Path, tmp_path: Path) -> None:
    film, folder = tmp_path / "film.gif", tmp_path / "people"
    pictures = [Image.new("RGB", (96, 96), (shade, 120, 150)) for shade in (60, 90, 120)]
    pictures[0].save(film, save_all=True, append_images=pictures[1:], duration=50)
    arguments = ["estimate", str(film), "--network", str(upright), "-o", str(folder)]
    invoke(*arguments)
    assert sorted(path.name for path in folder.iterdir()) == [
        *("00001", "00002", "00003", "person1.glb")
    ]
    found = json.loads((folder / "00003" / "people.json").read_text())
    assert found["seconds"] == 0.1
    invoke(*arguments, "--photos")
    assert json.loads((folder / "film" / "people.json").read_text())["people"][0]["id"] is None


def test_demo(tmp_path: Path) -> None:
    text = invoke("demo", "--runs", "1", "--save", str(tmp_path))
    assert "untrained" in text
    assert "SQNR" in text
    for digest in DEMO_HEATMAPS:
        assert digest in text
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"demo_float32.bpm", "demo_int8.bpm"}


def test_errors_are_one_message(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"\xff" * 100)
    command = [sys.executable, "-c", "from bitpose.cli import main; main()", "inspect", str(broken)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr


def test_missing_files_are_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["inspect", str(tmp_path / "none.onnx")])
    assert result.exit_code == 2
    assert "does not exist" in result.output


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(3):
        Image.effect_noise((20, 16), 60 + i).convert("RGB").save(folder / f"{i}.png")
    (folder / "notes.txt").write_text("no picture")
    return folder


def test_int8_from_photos_and_what_it_lost(classifier: Path, photos: Path) -> None:
    eight = classifier.with_name("eight.bpm")
    invoke(
        *("compile", str(classifier), "--precision", "int8", "--calibration", str(photos)),
        *("--observer", "minmax", "--output", str(eight)),
    )
    text = invoke("compare", str(classifier), str(eight), "--photo", str(photos))
    assert "on 3 photos" in text
    assert "worst of" in text
    same = invoke("compare", str(classifier), str(classifier), "--layers", "0")
    assert "on 4 random inputs" in same
    assert "inf" in same
    assert "worst of" not in same
    command = ["compile", str(classifier), "--precision", "int8"]
    result = CliRunner().invoke(app, command)
    assert isinstance(result.exception, InputError)
    assert "no pictures in the options" in str(result.exception)


def test_the_memory_plan_is_drawn(classifier: Path) -> None:
    picture = classifier.with_name("memory.svg")
    assert "wrote" in invoke("inspect", str(classifier), "--memory", str(picture))
    text = picture.read_text("utf-8")
    assert text.startswith("<svg")
    assert text.count("<title>") >= 2
