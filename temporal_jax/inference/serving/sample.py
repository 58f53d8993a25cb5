"""Sample video of the page, rendered when it is first asked for."""

import functools
import importlib.resources
from collections.abc import Iterable
from importlib.resources.abc import Traversable

import numpy as np
from PIL import Image

from temporal_jax.data.datasets import virtual_camera
from temporal_jax.data.video.encoding import encode_mp4

SHOTS = ("pan right", "zoom in", "rotate clockwise", "pan up")
FPS = 12  # As in the data set camera_motion.
SHOT = 24  # Frames of a shot.
_SIDE = 160  # Pixels, at least; the player shows them enlarged.
_SEED = 130  # The one of 200 whose frames all show the most contrast.


class SampleClip:
  """A virtual camera's film of a photograph, two seconds for each shot.

  The photograph is one that every installation of matplotlib has.

  Attributes:
    name: Its file name.
    about: Description of the film, in a sentence or two.
    seconds: Its length.
  """

  name = "camera over a photograph.mp4"
  seconds = len(SHOTS) * SHOT // FPS

  def __init__(self, class_names: Iterable[str], crop_size: int):
    """Prepares the film.

    Args:
      class_names: The network's classes. If no shot is one of them, `about`
        states that.
      crop_size: Side of the network's frames in pixels, at most the film's.
    """
    self._side = max(_SIDE, crop_size + crop_size % 2)
    self.about = (
      f"A generated clip of {self.seconds} s: a camera pans right, zooms in, "
      "rotates clockwise and pans up over a photograph."
    )
    if not set(SHOTS) & set(class_names):
      self.about += (
        " It was not made for this network's classes: the answer only shows "
        "how the page works."
      )

  @functools.cached_property
  def content(self) -> bytes:
    """The MP4 file, always the same.

    Raises:
      FileNotFoundError: If this matplotlib has no photograph.
    """
    with photograph().open("rb") as file, Image.open(file) as picture:
      picture = picture.convert("RGB")
    rng = np.random.default_rng(_SEED)
    shots = []
    for motion in SHOTS:
      path = virtual_camera.sample_path(
        motion,
        rng,
        num_frames=SHOT,
        view=self._side,
        photograph=picture.size[::-1],
      )
      shots.append(virtual_camera.film(picture, path, self._side))
    return encode_mp4(np.concatenate(shots), fps=FPS)


def photograph() -> Traversable:
  """Returns the file of the photograph; some matplotlibs come without it."""
  data = importlib.resources.files("matplotlib") / "mpl-data" / "sample_data"
  return data / "grace_hopper.jpg"
