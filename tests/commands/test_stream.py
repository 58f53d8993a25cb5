import os
import pathlib
import re
import signal
import subprocess
import sys

import jax
import numpy as np
import pytest

import temporal_jax
from temporal_jax import data, inference
from temporal_jax.cli import main
from tests.conftest import make_frames
from tests.support import videos

ROOT = pathlib.Path(__file__).parents[2]
FRAMES = 10
_LINE = re.compile(r" *([\d.]+) s +[\d.]+ ms  (dark|bright) ([\d.]+)%")


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
  """A network that tells whether it has become brighter than it was."""
  overrides = {"width": 8, "stage_sizes": [1], "temporal": "causal_shift"}
  network = temporal_jax.create_model("resnet18", num_classes=2, **overrides)
  clip = np.zeros((1, 2, 16, 16, 3), np.float32)
  shapes = jax.eval_shape(network.init, jax.random.key(0), clip)
  rng = np.random.default_rng(0)
  variables = jax.tree.map(
    lambda leaf: rng.uniform(0.1, 1, leaf.shape).astype(np.float32), shapes
  )
  directory = tmp_path_factory.mktemp("models") / "model"
  description = {
    "model": "resnet18",
    "overrides": overrides,
    "num_classes": 2,
    "clip_shape": [2, 16, 16, 3],
    "class_names": ["dark", "bright"],
    "pixels": {"mean": [0.5] * 3, "std": [0.25] * 3},
  }
  inference.save_model(directory, variables, description)
  return str(directory)


@pytest.fixture(scope="module")
def video(tmp_path_factory):
  path = tmp_path_factory.mktemp("videos") / "video.mkv"
  path.write_bytes(videos.make_video(make_frames(FRAMES), form="matroska"))
  return str(path)


def _rows(out):
  """Time, label and percentage of each line."""
  return [_LINE.fullmatch(line).groups() for line in out.splitlines()]


def test_a_line_a_frame_and_what_frames_took(directory, video, capsys):
  assert main(["stream", video, "--model", directory]) == 0
  shown = capsys.readouterr()
  rows = _rows(shown.out)
  assert [row[0] for row in rows] == [f"{t / 30:.2f}" for t in range(FRAMES)]
  assert re.fullmatch(
    r"frames: 10; ms per frame: [\d.]+ \(median\), [\d.]+ \(95 %\)\n", shown.err
  )
  stream = inference.Stream(directory, window=2)
  with data.LiveVideo(video) as live:
    scores = [stream(frame) for frame in live]
  best = [("dark", "bright")[int(s.argmax())] for s in scores]
  assert [row[1:] for row in rows] == [
    (label, f"{s.max():.1%}"[:-1]) for label, s in zip(best, scores, strict=True)
  ]
  words = ["--every", "4", "--topk", "2", "--window", "0"]
  assert main(["stream", video, "--model", directory, *words]) == 0
  lines = capsys.readouterr().out.splitlines()
  assert [line.split()[0] for line in lines] == ["0.00", "0.13", "0.27"]
  assert all("dark" in line and "bright" in line for line in lines)


def test_a_pipe_gives_what_the_file_does(directory, video, capsys):
  assert main(["stream", video, "--model", directory]) == 0
  want = _rows(capsys.readouterr().out)
  command = [sys.executable, "-m", "temporal_jax", "stream", "-"]
  with subprocess.Popen(["cat", video], stdout=subprocess.PIPE) as cat:
    done = subprocess.run(
      [*command, "--model", directory],
      stdin=cat.stdout,
      cwd=ROOT,
      capture_output=True,
      text=True,
      check=True,
    )
  assert _rows(done.stdout) == want
  assert done.stderr.startswith("frames: 10; ")


def test_it_ends_when_it_is_told_to(directory, video, capsys, monkeypatch):
  def interrupted(video):
    raise KeyboardInterrupt

  monkeypatch.setattr(data.LiveVideo, "__iter__", interrupted)
  assert main(["stream", video, "--model", directory]) == 130
  assert capsys.readouterr().err == "frames: 0\n"


def test_it_ends_when_nobody_reads_on(directory, video, capsys, monkeypatch):
  reading, writing = os.pipe()
  os.close(reading)
  with os.fdopen(writing, "w") as out:
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["stream", video, "--model", directory]) == 0
    monkeypatch.undo()
  assert capsys.readouterr().err.startswith("frames: 1; ")


def test_frames_that_cannot_be_decoded_end_with_1(directory, tmp_path, capsys):
  path = tmp_path / "video.mkv"
  film = videos.make_video(
    make_frames(6), form="matroska", options=videos.WHOLE | {"bf": "0"}
  )
  path.write_bytes(videos.blank_packets(film, {3}))
  assert main(["stream", str(path), "--model", directory]) == 1
  assert "; 1 could not be decoded" in capsys.readouterr().err


@pytest.mark.parametrize(
  ("words", "message"),
  [
    (["/nowhere.mp4"], "stream: /nowhere.mp4: the file does not exist."),
    ([__file__], "test_stream.py: it is damaged, or in no format"),
    (["x", "--every", "0"], "--every must be at least 1, got 0"),
    (["x", "--window", "-1"], "--window must be at least 0, got -1"),
  ],
)
def test_what_cannot_be_run_ends_with_2(directory, capsys, words, message):
  assert main(["stream", *words, "--model", directory]) == 2
  assert message in capsys.readouterr().err


def test_other_networks_end_with_2(tmp_path, capsys):
  assert main(["stream", "x", "--model", str(tmp_path)]) == 2
  assert "there is no model.json" in capsys.readouterr().err


@pytest.mark.slow  # Python starts twice.
@pytest.mark.parametrize("how", ["interrupted", "unread"])
def test_real_processes_end_cleanly(how, directory):
  film = videos.make_video(  # Raw, so that nothing waits for more of it.
    make_frames(8, size=64), codec="wrapped_avframe", form="yuv4mpegpipe"
  )
  # Ctrl-C as in a terminal, also where these tests run in the background.
  code = (
    "import signal, sys; from temporal_jax.cli import main; "
    "signal.signal(signal.SIGINT, signal.default_int_handler); "
    "sys.exit(main())"
  )
  with subprocess.Popen(
    [sys.executable, "-c", code, "stream", "-", "--model", directory],
    cwd=ROOT,
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
  ) as process:
    process.stdin.buffer.write(film)
    process.stdin.flush()
    assert _LINE.fullmatch(process.stdout.readline().rstrip())
    if how == "interrupted":
      process.send_signal(signal.SIGINT)
    else:
      process.stdout.close()
      process.stdin.close()
    errors = process.stderr.read()
    assert process.wait(60) == (130 if how == "interrupted" else 0)
  assert "Traceback" not in errors
  assert "frames: " in errors


def test_nothing_is_compiled_once_frames_come(directory, video, caplog):
  """A network from a directory: its arrays are committed to a device."""
  stream = inference.Stream(directory, window=2)
  with data.LiveVideo(video) as live, jax.log_compiles(True):
    for frame in live:
      stream(frame)
  assert stream.latency.frames == FRAMES
  compiled = [r.message for r in caplog.records if "ompil" in r.message]
  assert not compiled
