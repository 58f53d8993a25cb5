import json
import os
import pathlib
import subprocess
import sys

import av
import numpy as np
import pytest

from temporal_jax.data.views.eval_protocol import EvalProtocol
from tests.support.tiny_predictor import save_tiny

# The value of getrusage would include the process that starts this one.
_SCRIPT = """
import json, re, sys
from temporal_jax.cli import main
_, network, forms, *videos = sys.argv
peaks = []
for video in videos:
  files = [f"--{form}={video}.{form}" for form in forms.split()]
  words = ["--model", network, "--window", "60", "--stride", "60", *files]
  code = main(["watch", video, *words])
  assert code == 0, code
  with open("/proc/self/status") as status:
    peak = re.search(r"VmHWM:\\s+(\\d+) kB", status.read()).group(1)
  peaks.append(int(peak) / 1024)
print(json.dumps(peaks))
"""


def _write_video(file, frames, height, width):
  """Writes 10 frames per second, of a bar that moves to the right."""
  with av.open(str(file), "w") as container:
    stream = container.add_stream(
      "libx264", rate=10, options={"preset": "ultrafast", "g": "250"}
    )
    stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
    stream.codec_context.thread_count = 1
    picture = np.zeros((height * 3 // 2, width), np.uint8)
    picture[height:] = 128
    for number in range(frames):
      picture[:height] = 40
      picture[:height, number % width] = 220
      frame = av.VideoFrame.from_ndarray(picture, "yuv420p")
      container.mux(stream.encode(frame))
    container.mux(stream.encode())


def _peaks(folder, lengths, height, width, forms):
  """Returns megabytes in use at most, once each longer video is watched."""
  network = save_tiny(
    folder / "model",
    EvalProtocol(num_frames=2, crop_size=height, short_side=height),
  )
  videos = []
  for frames in lengths:
    videos.append(str(folder / f"{frames}.mp4"))
    _write_video(videos[-1], frames, height, width)
  done = subprocess.run(
    [sys.executable, "-c", _SCRIPT, str(network), forms, *videos],
    capture_output=True,
    text=True,
    check=True,
    # As many heaps as there are threads would grow at their own pace.
    env=os.environ | {"MALLOC_ARENA_MAX": "2"},
  )
  for frames, video in zip(lengths, videos, strict=True):
    with open(f"{video}.json") as file:
      *_, last = json.load(file)
    assert last["stop"] == pytest.approx(frames / 10)
  return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.skipif(
  not pathlib.Path("/proc/self/status").exists(), reason="Linux tells it."
)
def test_memory_does_not_grow_with_length(tmp_path):
  short, longer = _peaks(tmp_path, (1000, 4000), 112, 160, "json")
  assert longer < 1000
  assert longer - short < 40  # The crops alone of 3000 frames are 108 MB.


@pytest.mark.slow  # An hour of video is encoded and watched.
def test_an_hour_takes_no_more_memory_than_minutes(tmp_path):
  short, longer = _peaks(tmp_path, (3000, 36000), 48, 64, "json csv srt png")
  assert longer < 1000
  assert longer - short < 40  # The crops alone of 33000 frames are 218 MB.
