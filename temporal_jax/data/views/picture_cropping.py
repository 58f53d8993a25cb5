"""Resizes and crops single pictures by a test protocol."""

import av
import numpy as np

from temporal_jax.data.video.pictures import Scaler
from temporal_jax.data.views.eval_protocol import EvalProtocol
from temporal_jax.data.views.read_views import crop_places


class PictureCropper:
  """Resizes pictures and cuts out the middle, as `views.read_views` does.

  Not for several threads at once.

  Attributes:
    protocol: Test protocol with the size of frames and crops; of several crops,
      the middle one is taken.
  """

  def __init__(self, protocol: EvalProtocol):
    self.protocol = protocol
    self._scaler = Scaler()

  def __call__(self, picture: np.ndarray | av.VideoFrame) -> np.ndarray:
    """Returns the middle of a picture (S, S, 3), uint8 RGB.

    Args:
      picture: (H, W, 3) uint8 RGB, or a frame as PyAV decodes it.

    Raises:
      ValueError: If it is something else, or smaller than the crop.
    """
    protocol = self.protocol
    frame = _frame(picture)
    if protocol.stretch is None:
      size = frame.height, frame.width
      image = self._scaler.keep_aspect(frame, size, protocol.short_side)
    else:
      image = self._scaler.stretch(frame, protocol.stretch)
    side, rule = protocol.crop_size, protocol.crop_rule
    (middle,) = crop_places(*image.shape[:2], side, 1, rule)
    rows = slice(middle.top, middle.top + side)
    return image[rows, middle.left : middle.left + side]


def _frame(picture: np.ndarray | av.VideoFrame) -> av.VideoFrame:
  """Returns a picture as a frame."""
  if isinstance(picture, av.VideoFrame):
    return picture
  picture = np.asarray(picture)
  shaped = picture.ndim == 3 and picture.shape[-1] == 3 and picture.size
  if not shaped or picture.dtype != np.uint8:
    raise ValueError(
      f"a picture must be (H, W, 3) uint8, got {picture.shape} {picture.dtype}."
    )
  return av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")
