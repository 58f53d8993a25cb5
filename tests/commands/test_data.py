import json
import os
import pathlib
import shutil

import numpy as np
import pytest

from temporal_jax import data
from temporal_jax.cli import main
from temporal_jax.data.video.decoding import VideoReader
from tests.support.tar_shards import shard_folder


def _check(root, directory):
  return main(
    [
      "data",
      "check",
      str(root),
      "--threads",
      "2",
      "--manifest",
      str(directory / "manifest.jsonl"),
      "--bad",
      str(directory / "bad.txt"),
    ]
  )


def test_check_ends_with_1_if_a_file_is_bad(video_folder, tmp_path, capsys):
  root = shutil.copytree(video_folder, tmp_path / "videos")
  assert _check(root, tmp_path) == 0
  assert "12 videos: 12 decoded, 0 known" in capsys.readouterr().out
  (root / "rise" / "3.mp4").write_bytes(b"")
  (root / "notes.txt").touch()
  assert _check(root, tmp_path) == 1
  out = capsys.readouterr().out
  assert "bad: rise/3.mp4: the file is empty" in out
  assert "not looked at: 1 .txt" in out
  assert "12 videos: 1 decoded, 11 known from before, 1 bad" in out
  assert (tmp_path / "bad.txt").read_text().startswith("rise/3.mp4\t")


def test_inspect_ends_with_1_if_something_is_wrong(video_folder, tmp_path, capsys):
  root = shutil.copytree(video_folder, tmp_path / "videos")
  sheet, report = tmp_path / "sheet.png", tmp_path / "report.json"
  assert main(["data", "inspect", str(root), "--json", str(report)]) == 0
  out = capsys.readouterr().out
  assert "labels 0 to 1, 0 gaps." in out
  assert "train: 5 videos per class." in out
  assert json.loads(report.read_text())["videos"] == {"train": 10, "test": 2}
  listed = [str(path) for path in sorted(root.rglob("*.mp4"))]
  lines = ["path,label,split"]
  lines += [f"{path},1,{split}" for path in listed[:2] for split in ("train",)]
  lines += [f"{listed[0]},1,test", f"{listed[3]},3,train", "gone.mp4,3,test"]
  (tmp_path / "list.csv").write_text("\n".join(lines))
  words = ["inspect", str(tmp_path / "list.csv"), "--sheet", str(sheet)]
  assert main(["data", *words]) == 1
  assert sheet.stat().st_size > 10_000
  out = capsys.readouterr().out
  assert "labels 1 to 3, 1 gaps [2]." in out
  assert "train: 2 (1), 1 (3) videos per class." in out
  assert f"same content in several splits: {listed[0]} (train)" in out
  assert f"missing: {tmp_path / 'gone.mp4'}" in out


def test_inspect_writes_over_nothing_that_it_reads(video_folder, tmp_path, capsys):
  root = shutil.copytree(video_folder, tmp_path / "videos")
  assert _check(root, tmp_path) == 0
  manifest, video = tmp_path / "manifest.jsonl", root / "rise" / "0.mp4"
  words = ["data", "inspect", str(root), "--manifest", str(manifest)]
  capsys.readouterr()
  for more, message in (
    (["--json", str(manifest)], "both a file that is read and --json"),
    (["--sheet", str(video)], "both a file that is read and --sheet"),
    (["--json", "a", "--sheet", "a"], "both --json and --sheet"),
    (["--sheet", "/nowhere/a.png"], "/nowhere is no folder to write to"),
  ):
    before = manifest.read_bytes(), video.read_bytes()
    assert main([*words, *more]) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.out == ""
    assert before == (manifest.read_bytes(), video.read_bytes())


def test_inspect_takes_tar_files_and_others_refuse_them(video_folder, tmp_path, capsys):
  root = shard_folder(video_folder, tmp_path / "shards")
  sheet = tmp_path / "sheet.png"
  assert main(["data", "inspect", str(root), "--sheet", str(sheet)]) == 0
  out = capsys.readouterr().out
  assert "train: 4 videos per class." in out
  assert sheet.stat().st_size > 10_000
  (root / "test-0.tar").write_bytes((root / "train-0.tar").read_bytes())
  assert main(["data", "inspect", str(root / "*.tar")]) == 1
  out = capsys.readouterr().out
  first = f"{root}/train-0.tar/fall_0.mp4 (train)"
  assert f"in several splits: {first}, {root}/test-0.tar/fall_0.mp4 (test)" in out
  sheet.unlink()
  assert _check(root, tmp_path) == 2
  assert main(["data", "transcode", str(root), str(tmp_path / "out")]) == 2
  assert main(["data", "build", "own", str(root), str(tmp_path / "out")]) == 2
  err = capsys.readouterr().err
  for task in ("check", "transcode", "build"):
    assert f"data {task} reads video files, and {root} is tar files" in err
  assert [*tmp_path.iterdir()] == [root]


@pytest.mark.parametrize(
  ("words", "name"),
  [
    (("inspect", "gs://b/list.csv"), "ROOT gs://b/list.csv"),
    (("inspect", ".", "--json", "s3://b/x.json"), "JSON s3://b/x.json"),
    (("build", "own", ".", "s3://b/x"), "OUT s3://b/x"),
  ],
)
def test_paths_in_buckets_are_refused(words, name, tmp_path, monkeypatch, capsys):
  monkeypatch.chdir(tmp_path)
  assert main(["data", *words]) == 2
  err = capsys.readouterr().err
  assert f"temporal-jax data: {name} must be on this machine: mount the" in err
  assert [*tmp_path.iterdir()] == []


_SEGMENTS = """\
path,start,end,label
a.mp4,1,2.5,pan
a.mp4,3,7,tilt
b.mp4,0,1,pan
c.mp4,,,
"""


def _write_films(folder):
  (folder / "list.csv").write_text(_SEGMENTS)
  (folder / "features").mkdir()
  for name in "abc":
    (folder / f"{name}.mp4").touch()
    facts = {"fps": 10.0, "stride": 4, "window": 8, "model": "resnet18"}
    values = np.zeros((25, 3), np.float32)
    np.savez(folder / "features" / f"{name}.npz", features=values, **facts)
  return ["data", "segments", str(folder / "list.csv")]


def test_segments_are_counted(tmp_path, capsys):
  words = _write_films(tmp_path)
  features = ["--features", str(tmp_path / "features")]
  assert main([*words, *features, "--png", str(tmp_path / "out.png")]) == 0
  out = capsys.readouterr().out
  assert "features: 3 numbers each 4 frames, of 8 frames by resnet18.\n" in out
  assert "films: 3.\nfilms without a segment: 1.\nsegments: 3.\n" in out
  rows = [line.split() for line in out.splitlines() if line.startswith("  ")]
  assert ["2", "2", "1.00", "1.25", "1.50", "s", "pan"] in rows
  assert ["1", "1", "4.00", "4.00", "4.00", "s", "tilt"] in rows
  assert (tmp_path / "out.png").read_bytes()[:4] == b"\x89PNG"


def test_what_is_wrong_with_segments_is_named(tmp_path, capsys):
  words = _write_films(tmp_path)
  with open(tmp_path / "list.csv", "a") as out:
    out.write("a.mp4,5,4,pan\na.mp4,nan,4,pan\nd.mp4,1,2,pan\nb.mp4,90,99,pan\n")
  (tmp_path / "features" / "c.npz").write_bytes(b"damaged")
  assert main([*words, "--features", str(tmp_path / "features")]) == 1
  out = capsys.readouterr().out
  assert f"missing: {tmp_path / 'd.mp4'}\n" in out
  bad = [line for line in out.splitlines() if line.startswith("bad: ")]
  assert len(bad) == 5
  assert sum("has no features" in line for line in bad) == 1
  assert sum("c.npz" in line for line in bad) == 1
  assert main([*words, "--png", str(tmp_path / "no" / "out.png")]) == 2
  assert "is no folder to write to" in capsys.readouterr().err
  assert main([*words, "--png", str(tmp_path / "list.csv")]) == 2
  assert "both a file that is read and --png" in capsys.readouterr().err
  assert main(["data", "segments", str(tmp_path / "none.csv")]) == 2


def test_videos_need_not_be_there_if_features_are(tmp_path, capsys):
  words = _write_films(tmp_path)
  (tmp_path / "a.mp4").unlink()
  (tmp_path / "a.mp4").mkdir()
  assert main(words) == 1
  assert f"missing: {tmp_path / 'a.mp4'}\n" in capsys.readouterr().out
  assert main([*words, "--features", str(tmp_path / "features")]) == 0
  with open(tmp_path / "list.csv", "a") as out:
    out.write("./a.mp4,8,9,pan\n")
  assert main(words) == 1
  assert "films: 3.\n" in capsys.readouterr().out


def test_transcode_writes_small_videos(video_folder, tmp_path, capsys):
  out = tmp_path / "out"
  words = ["transcode", str(video_folder), str(out), "--short-side", "16"]
  assert main(["data", *words]) == 0
  assert "12 videos written" in capsys.readouterr().out
  with VideoReader(out / "rise" / "0.mp4") as reader:
    assert reader.read([0]).shape == (1, 16, 16, 3)


def _write_hmdb51(root, videos):
  """Splits of two classes, as published, of 12 videos of `video_folder`."""
  root.mkdir()
  for name in ("fall", "rise"):
    files = sorted((videos / name).glob("*.mp4"))
    lines = [f"{file.name} {2 if n == 0 else 1}" for n, file in enumerate(files)]
    (root / f"{name}_test_split1.txt").write_text("\n".join(lines) + "\n")


def test_built_data_sets_are_opened_by_name(video_folder, tmp_path, capsys):
  root, out = tmp_path / "lists", tmp_path / "out"
  _write_hmdb51(root, video_folder)
  words = ["data", "build", "hmdb51_1", str(root), str(out)]
  assert main([*words, "--videos", str(root)]) == 1
  assert "missing: fall/0.mp4" in capsys.readouterr().out
  assert main([*words, "--videos", str(video_folder)]) == 0
  assert "12 videos" in capsys.readouterr().out
  common = {"splits": {"train": "train", "test": "test"}, "test_fraction": 0.0}
  built = data.open_sources(name="hmdb51_1", root="", data_dir=str(out), **common)
  listed = data.open_sources(
    *(),
    **{"name": "", "root": str(root), "data_dir": "", **common},
    annotations="hmdb51_1",
    videos=str(video_folder),
  )
  for split, count in (("train", 10), ("test", 2)):
    assert len(built[split]) == len(listed[split]) == count
    want = {
      video["id"]: video for video in map(listed[split].__getitem__, range(count))
    }
    for video in map(built[split].__getitem__, range(count)):
      assert video["label"] == want[video["id"]]["label"]
      path = pathlib.Path(want[video["id"]]["video"])
      assert video["video"] == path.read_bytes()


@pytest.mark.parametrize(
  ("words", "message"),
  [
    (["check", "/nowhere"], "data: /nowhere is no folder"),
    (["inspect", "/nowhere"], "data: data.root /nowhere does not"),
    (["transcode", "/nowhere", "/out"], "data: /nowhere is no"),
  ],
)
def test_what_cannot_be_run_ends_with_2(tmp_path, capsys, words, message):
  if words[0] == "check":
    words = [*words, "--manifest", str(tmp_path / "m"), "--bad", str(tmp_path)]
  assert main(["data", *words]) == 2
  assert message in capsys.readouterr().err


def test_names_that_are_no_text_are_printed_safely(video_folder, tmp_path, capsys):
  root = tmp_path / "videos"
  wild = os.fsencode(root) + b"/\xffclass\x1b[1m"
  for split in (b"train", b"val"):
    os.makedirs(wild.replace(b"/\xff", b"/" + split + b"/\xff"))
    for name in (b"\xfe.mp4", b"new\nline.mp4"):
      with open(os.fsencode(root) + b"/" + split + wild[-11:] + b"/" + name, "wb"):
        pass
  assert _check(root, tmp_path) == 1
  lines = capsys.readouterr().out.splitlines()
  assert len(lines) == 5
  assert all(line.isprintable() for line in lines)
  assert "bad: train/\\udcffclass\\u001b[1m/new\\nline.mp4: the file" in lines[0]
  sheet, report = tmp_path / "sheet.png", tmp_path / "report.json"
  words = ["--sheet", str(sheet), "--json", str(report)]
  words += ["--manifest", str(tmp_path / "manifest.jsonl")]
  assert main(["data", "inspect", str(root), *words]) == 1
  lines = capsys.readouterr().out.splitlines()
  assert all(line.isprintable() for line in lines)
  assert lines[0].endswith("2 videos of 'val' are tested.")
  assert len(json.loads(report.read_text())["bad"]) == 4
  assert main(["data", "transcode", str(root), str(tmp_path / "out")]) == 1
  assert all(map(str.isprintable, capsys.readouterr().out.splitlines()))


def test_what_is_no_video_is_said(video_folder, tmp_path, capsys):
  root = shutil.copytree(video_folder, tmp_path / "videos")
  (root / "fall/frames").mkdir()
  for name in ("fall/frames/x_1.jpg", "fall/frames/x_2.jpg", "rise/a.txt"):
    (root / name).touch()
  assert main(["data", "inspect", str(root)]) == 0
  out = capsys.readouterr().out
  assert "files that are no videos: 1 .txt." in out
  assert "1 folders of frames begin with number 1." in out
  (root / "fall/frames/y_2.jpg").touch()
  assert main(["data", "inspect", str(root)]) == 1
  assert "x_*.jpg (2), y_*.jpg (1); set --frames to" in capsys.readouterr().out
  assert main(["data", "inspect", str(root), "--frames", "x_*.jpg"]) == 0
  out = tmp_path / "out"
  words = ["transcode", str(root), str(out), "--short-side", "16"]
  assert main(["data", *words]) == 0
  said = capsys.readouterr().out
  assert "not looked at: 1 .txt." in said
  assert "1 folders of frames are left out" in said


@pytest.mark.parametrize("form", ["folder", "csv", "several"])
def test_own_videos_are_built(form, video_folder, tmp_path, capsys):
  root = video_folder
  if form != "folder":
    root = tmp_path / "list.csv"
    files = sorted(video_folder.glob("*/*.mp4"))
    column = "label" if form == "csv" else "labels"
    rows = [f"{file},{file.parent.name}" for file in files]
    root.write_text("\n".join([f"path,{column}", *rows]))
  out = tmp_path / "out"
  words = ["build", "mine", str(root), str(out), "--test-fraction", "0.34"]
  assert main(["data", *words]) == 0
  shown = capsys.readouterr().out
  assert shown.splitlines()[-2:] == [
    f"building mine in {out}/mine/1.0.0.",
    f"12 videos: {out}/mine.",
  ]
  assert main(["data", *words]) == 2
  assert "mine/1.0.0 is there already, maybe of other" in capsys.readouterr().err
  built = data.open_sources(
    name="mine",
    root="",
    data_dir=str(out),
    splits={"train": "train", "test": "test"},
    test_fraction=0.0,
  )
  listed = data.open_sources(
    name="",
    root=str(root),
    data_dir="",
    splits={"train": "", "test": ""},
    test_fraction=0.34,
  )
  for split in ("train", "test"):
    assert built[split].class_names == ("fall", "rise")
    assert built[split].multi_label == (form == "several")
    mine = {v["id"]: v for v in map(built[split].__getitem__, range(2))}
    known = {
      v["id"].removeprefix(f"{video_folder}/"): v
      for v in map(listed[split].__getitem__, range(len(listed[split])))
    }
    assert len(built[split]) == len(known)
    for name, video in mine.items():
      assert video["label"] == known[name]["label"]
      assert video["video"] == (video_folder / name).read_bytes()


@pytest.mark.parametrize(
  ("words", "message"),
  [
    (["camera_motion", "."], "cannot be the name of a data set that is built"),
    (["../mine", "."], "cannot be the name"),
    (["mine", "/nowhere"], "data.root /nowhere does not exist"),
    (["mine", ".", "--videos", "x"], "--videos is for published annotations"),
  ],
)
def test_what_cannot_be_built_ends_with_2(words, message, tmp_path, capsys):
  name, root, *more = words
  assert main(["data", "build", name, root, str(tmp_path / "out"), *more]) == 2
  assert message in capsys.readouterr().err
  assert not (tmp_path / "out").exists()


def test_a_name_that_is_unknown_says_what_annotations_there_are(tmp_path, capsys):
  words = ["build", "ssv3", str(tmp_path), str(tmp_path / "out")]
  assert main(["data", *words]) == 2
  said = capsys.readouterr().err
  assert "Published annotations are called anet, " in said
  assert " k400, " in said
