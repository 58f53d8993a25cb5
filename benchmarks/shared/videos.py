"""Videos made for benchmarks."""

import pathlib

import numpy as np

from temporal_jax.data.video.encoding import encode_mp4

LENGTH = 57  # Frames: a clip of 8 frames with stride 8 fits exactly.


def write_videos(
  folder: pathlib.Path, count: int, size: tuple[int, int], *, length: int = LENGTH
) -> list[str]:
  """Writes H.264 videos of a moving texture, and returns their files.

  Args:
    folder: Folder of the files.
    count: Number of videos.
    size: Height and width, in pixels.
    length: Number of frames.
  """
  height, width = size
  files = []
  for number in range(count):
    rng = np.random.default_rng(number)
    texture = np.zeros((height, width, 3))
    for grain in (2, 8, 32):  # Pixels; coarse ones have more contrast.
      shape = (-(-height // grain), -(-width // grain), 3)
      patches = rng.uniform(0, 20 * grain**0.5, shape)
      patches = patches.repeat(grain, 0).repeat(grain, 1)
      texture += patches[:height, :width]
    texture = np.minimum(texture, 255).astype(np.uint8)
    frames = [np.roll(texture, (number - 5) * t, axis=1) for t in range(length)]
    file = folder / f"{number}.mp4"
    file.write_bytes(encode_mp4(np.stack(frames), fps=25, crf=23))
    files.append(str(file))
  return files
