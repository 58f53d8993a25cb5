"""Writing videos with PyAV."""

import io

import av
import numpy as np


def encode_mp4(frames: np.ndarray, *, fps: int, crf: int = 18) -> bytes:
  """Encodes frames as H.264 in an mp4 container.

  Args:
    frames: (T, H, W, 3), uint8 RGB; H and W even.
    fps: Frames per second.
    crf: Constant rate factor of x264, 0 (lossless) to 51.

  Returns:
    The file's bytes.

  Raises:
    ValueError: If the frames are not uint8 (T, H, W, 3) with T > 0 and even
      sides.
  """
  if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3:
    raise ValueError(
      f"frames must be uint8 (T, H, W, 3), got {frames.dtype} {frames.shape}."
    )
  count, height, width, _ = frames.shape
  if count == 0 or height % 2 or width % 2:
    raise ValueError(f"H.264 needs a frame and even sides, got shape {frames.shape}.")
  file = io.BytesIO()
  with av.open(file, "w", format="mp4") as container:
    # With its macroblock tree x264 is not always the same on AVX-512.
    options = {"crf": str(crf), "x264-params": "mbtree=0"}
    stream = container.add_stream("libx264", rate=fps, options=options)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.codec_context.thread_count = 1
    for frame in frames:
      container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
    container.mux(stream.encode())
  return file.getvalue()
