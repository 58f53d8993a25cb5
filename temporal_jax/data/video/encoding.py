"""Writing videos with PyAV."""

import io

import av
import numpy as np

from temporal_jax.validation import check_number


def encode_mp4(
  frames: np.ndarray, *, fps: int, crf: int = 18, intra_qp: int | None = None
) -> bytes:
  """Encodes frames as H.264 in an mp4 container.

  Args:
    frames: (T, H, W, 3), uint8 RGB; H and W even.
    fps: Frames per second.
    crf: Constant rate factor of x264, 0 (lossless) to 51.
    intra_qp: Quantizer of all frames, 1 to 51, in place of `crf`. The code of a
      frame then depends on no other frame and not on its place: frames in
      another order are decoded to the same pictures in that order.

  Returns:
    The file's bytes.

  Raises:
    ValueError: If the frames are not uint8 (T, H, W, 3) with T > 0 and even
      sides, or `intra_qp` is not from 1 to 51.
  """
  if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3:
    raise ValueError(
      f"frames must be uint8 (T, H, W, 3), got {frames.dtype} {frames.shape}."
    )
  count, height, width, _ = frames.shape
  if count == 0 or height % 2 or width % 2:
    raise ValueError(f"H.264 needs a frame and even sides, got shape {frames.shape}.")
  # With its macroblock tree x264 is not always the same on AVX-512.
  options = {"crf": str(crf), "x264-params": "mbtree=0"}
  if intra_qp is not None:
    check_number("intra_qp", intra_qp, 1, 51)
    options = {"qp": str(intra_qp), "x264-params": "mbtree=0:keyint=1"}
  file = io.BytesIO()
  with av.open(file, "w", format="mp4") as container:
    stream = container.add_stream("libx264", rate=fps, options=options)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.codec_context.thread_count = 1
    for frame in frames:
      container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
    container.mux(stream.encode())
  return file.getvalue()
