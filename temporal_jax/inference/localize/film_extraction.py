"""Extracts a video's features for a detector, without a file."""

import os
import re

from temporal_jax.data.video.fixed_rate import FixedRateReader
from temporal_jax.data.video.pictures import VideoError
from temporal_jax.data.video.readers import Reader, open_reader
from temporal_jax.inference.extract.feature_files import extraction_settings
from temporal_jax.inference.extract.feature_windows import FeatureExtractor
from temporal_jax.inference.runtime.saved_model import (
  PendingModel,
  SavedModel,
  load_model,
)
from temporal_jax.localization.features.film_features import (
  FeatureKind,
  FilmFeatures,
  check_kind,
  extraction_kind,
)
from temporal_jax.saved_networks import bundled
from temporal_jax.saved_networks.variables import digest


class FilmExtractor:
  """Makes the features that a detector was trained with.

  Attributes:
    kind: Kind of the features.
    saved: The network that makes them.
  """

  def __init__(
    self,
    model: SavedModel | PendingModel,
    kind: FeatureKind,
    *,
    batch_size: int = 8,
  ):
    """Prepares the network as the features of the detector were extracted.

    Args:
      model: The network.
      kind: Kind of features to compute; settings that it leaves open are the
        defaults of `extract`.
      batch_size: Windows computed at once.

    Raises:
      ValueError: If the network makes other features.
    """
    model = model.wait() if isinstance(model, PendingModel) else model
    made = kind._replace(model=model.name, weights=digest(model.variables))
    check_kind(f"the network {model.name}", made, kind)
    short_side = re.fullmatch(r"short side (\d+)", kind.frames)
    self._fps = None if kind.rate in ("", "own") else float(kind.rate)
    extractor = FeatureExtractor(
      model,
      **({"name": kind.feature} if kind.feature else {}),
      window=_whole("window", kind.window),
      stride=_whole("stride", kind.stride),
      batch_size=batch_size,
      stretch=kind.frames == "stretched",
      short_side=short_side and int(short_side[1]),
    )
    self._extractor, self.saved = extractor, extractor.saved
    if len(extractor.shape) != 1:
      raise ValueError(
        f"the feature {extractor.name!r} of {self.saved.name} must be a vector to "
        f"detect in, got {extractor.shape}."
      )
    settings = extraction_settings(extractor, self._fps)
    self.kind = extraction_kind(
      extractor.shape[0], extractor.stride, extractor.window, settings
    )
    # A field that the detector does not know cannot be compared.
    check_kind(f"the network {self.saved.name}", self.kind, kind)

  def __call__(self, video: str | os.PathLike) -> FilmFeatures:
    """Returns the features of a video.

    Raises:
      VideoError: If it cannot be read.
      ValueError: If frames are smaller than the network's square.
    """
    square = self.saved.protocol.square_pixels
    with open_reader(os.fspath(video), square_pixels=square) as reader:
      return self.of_reader(reader)

  def of_reader(self, reader: Reader) -> FilmFeatures:
    """Returns the features of an open video.

    Raises:
      VideoError: If a frame cannot be decoded, or its frames per second are not
        known.
      ValueError: See `__call__`.
    """
    timed = reader if self._fps is None else FixedRateReader(reader, self._fps)
    if not timed.fps:
      raise VideoError("its frames per second are not known")
    return FilmFeatures(
      values=self._extractor(timed),
      stride=self.kind.stride,
      window=self.kind.window,
      fps=timed.fps,
      offset=0.0,
      duration=timed.num_frames / timed.fps,
      kind=self.kind,
    )


def find_network(kind: FeatureKind) -> SavedModel:
  """Returns the network that made a detector's features, if it is bundled.

  Raises:
    ValueError: If it is not; the network that is needed is named.
  """
  for name in bundled.NAMES:
    saved = load_model(bundled.find(name))
    if kind.weights and saved.description.get("sha256") == kind.weights:
      return saved
  made = "by a network that is not recorded"
  if kind.model:
    made = f"by {kind.model}" + (f", sha256 {kind.weights}" if kind.weights else "")
  raise ValueError(
    f"the detector's features were made {made}: give the network's folder as "
    "`features` to detect in videos."
  )


def _whole(name: str, frames: float) -> int:
  """Returns frames as an integer.

  Raises:
    ValueError: If they are a fraction; no window of a video is.
  """
  if frames != int(frames):
    raise ValueError(
      f"the {name} of the detector's features must be whole frames to be extracted "
      f"from videos, got {frames:g}."
    )
  return int(frames)
