"""Makes damaged videos.

python -m tests.support.damaged_videos FOLDER [COUNT [SEED]]
"""

import pathlib
import sys
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from tests.conftest import make_frames
from tests.support.videos import make_picture, make_sound, make_video

KINDS = ("bits", "cut", "header", "empty", "extension")


class Damaged(NamedTuple):
  """A file of another kind than its name.

  Attributes:
    name: Name of the file: number, kind of damage, and suffix.
    kind: One of `KINDS`.
    content: Its bytes.
  """

  name: str
  kind: str
  content: bytes


def good_videos() -> dict[str, bytes]:
  """Returns a video of 24 frames by suffix."""
  frames = make_frames(24, size=48)
  noise = np.random.default_rng(0).integers(0, 30, frames.shape, np.uint8)
  frames = frames + noise  # There is something to decode.
  return {
    ".mp4": make_video(frames, options={"g": "8"}),
    ".mov": make_video(
      frames, form="mov", container_options={"movflags": "+faststart"}
    ),
    ".webm": make_video(frames, codec="libvpx", form="webm", options={"cpu-used": "8"}),
    ".mkv": make_video(frames, form="matroska"),
    ".avi": make_video(frames, codec="mpeg4", form="avi"),
  }


def damage(videos: Mapping[str, bytes], count: int, seed: int) -> Iterator[Damaged]:
  """Yields files, each kind as often, the same ones for the same seed."""
  others = (
    b"This is a text, in spite of its name.\n" * 40,
    b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n0.mp4\n#EXT-X-ENDLIST\n",
    bytes(4000),
    make_picture(make_frames(1)[0]),
    make_sound(),
  )
  for number in range(count):
    rng = np.random.default_rng((seed, number))
    kind = KINDS[number % len(KINDS)]
    suffix = str(rng.choice(list(videos)))
    content = bytearray(videos[suffix])
    if kind == "bits":
      reach = len(content) if rng.random() < 0.5 else 2000  # Its header.
      places = rng.integers(0, min(reach, len(content)), rng.integers(1, 200))
      for place in places:
        content[place] ^= 1 << rng.integers(8)
    elif kind == "cut":
      content = content[: rng.integers(1, len(content))]
    elif kind == "header":
      other = rng.choice([name for name in videos if name != suffix])
      size = rng.integers(16, 1000)
      content[:size] = videos[other][:size]
    elif kind == "empty":
      content = b""
    else:
      content = others[rng.integers(len(others))]
    yield Damaged(f"{number:04d}_{kind}{suffix}", kind, bytes(content))


def main(folder: str, count: str = "1000", seed: str = "0") -> None:
  """Writes damaged videos to a folder."""
  path = pathlib.Path(folder)
  path.mkdir(parents=True, exist_ok=True)
  for file in damage(good_videos(), int(count), int(seed)):
    (path / file.name).write_bytes(file.content)


if __name__ == "__main__":
  main(*sys.argv[1:])
