"""Grad-CAM as pictures that a page can hold."""

import base64
import io
from typing import Any

import jax
import numpy as np
from PIL import Image

from temporal_jax.inference import visualize
from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.inference.visualize.heat_colors import paint
from temporal_jax.inference.watch.windows import WindowClip

_PICTURES = 8  # At most.


class GradCamStrip:
  """Frames of a clip and under each its Grad-CAM; compiled once."""

  def __init__(self, saved: SavedModel, *, task: str | None = None):
    """Prepares the network.

    Args:
      saved: The network.
      task: Name of the task, if the network has several.
    """
    self._variables = jax.device_put(visualize.open_variables(saved))
    self._maps = jax.jit(visualize.create_grad_cam(saved, task=task))

  def __call__(self, clip: WindowClip, label: int, name: str) -> dict[str, Any]:
    """Returns the pictures of a class for the page, as JSON.

    Args:
      clip: Clip in which the class is looked for.
      label: Number of a class.
      name: Its name.

    Returns:
      "about", a sentence, and "pictures": for each "time" in seconds and
      "image", a PNG as an address. A network without maps has no pictures.
    """
    try:
      maps = self._maps(self._variables, clip.frames, np.int32(label))
    except ValueError as error:
      return {"about": f"No Grad-CAM: {error}", "pictures": []}
    count = len(clip.frames)
    shown = np.linspace(0, count - 1, min(count, _PICTURES)).round().astype(int)
    frames = clip.frames[shown]
    painted = paint(frames, np.asarray(maps)[shown])
    # A window's clip are the middles of as many equal parts of it.
    length = (clip.stop - clip.start) / count
    return {
      "about": (
        f"Grad-CAM of {name}, in the window in which it is most probable. The "
        "brighter a place is, the more it speaks for it."
      ),
      "pictures": [
        {
          "time": clip.start + (place + 0.5) * length,
          "image": _address(np.concatenate(pair)),
        }
        for place, *pair in zip(shown.tolist(), frames, painted, strict=True)
      ],
    }


def _address(picture: np.ndarray) -> str:
  """Returns a picture (H, W, 3) uint8 as the address of a PNG."""
  file = io.BytesIO()
  Image.fromarray(picture).save(file, "png")
  return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
