"""Localizes actions: segments of video files, or of their features."""

import os
import pathlib
from collections.abc import Iterable, Iterator

import numpy as np

from temporal_jax.data.annotations.films import Film
from temporal_jax.data.video.pictures import VideoError
from temporal_jax.data.video.readers import Reader
from temporal_jax.inference.localize.film_extraction import (
  FilmExtractor,
  find_network,
)
from temporal_jax.inference.localize.segments import (
  Localization,
  Segment,
  named_segments,
)
from temporal_jax.inference.runtime.saved_model import (
  PendingModel,
  SavedModel,
  begin_loading,
)
from temporal_jax.localization.detector.class_scores import (
  ClassScores,
  is_of_windows,
  open_class_scores,
)
from temporal_jax.localization.detector.decoding_settings import ProposalDecoding
from temporal_jax.localization.detector.detect import (
  CLASSLESS,
  Detector,
  NotFiniteError,
)
from temporal_jax.localization.detector.saved_detector import load_detector
from temporal_jax.localization.detector.sequences import check_positions
from temporal_jax.localization.features.film_features import (
  FilmFeatures,
  check_kind,
)
from temporal_jax.localization.features.read_features import (
  SUFFIXES,
  FeatureSettings,
  check_no_pickle,
  check_settings,
  read_features,
)
from temporal_jax.saved_networks import bundled
from temporal_jax.validation import check_whole

Path = str | os.PathLike


class Localizer:
  """Finds actions in videos, with their start and end.

  A video goes through two networks: one makes features of its windows, as it
  did for the training of the other, the detector. Files of features (npz, npy,
  HDF5) need the detector only.

  Attributes:
    detector: Finds segments in features.
  """

  def __init__(
    self,
    detector: Path | Detector,
    *,
    features: Path | SavedModel | PendingModel | None = None,
    fps: float | None = None,
    class_scores: Path | None = None,
    batch_size: int = 8,
  ):
    """Reads the detector; the network of features is read for the first video.

    Args:
      detector: Folder of a detector, such as the workdir of a run, or the
        result of `load_detector`.
      features: The network that makes features, its folder or the name of a
        bundled one. By default the bundled one that the detector's features
        were made by. Any other is refused with the first video.
      fps: Frames per second of the films, for files of features without
        it.
      class_scores: Scores that label the segments of a detector without
        classes: file of the scores of films (.npz), or folder of the logits of
        windows, see `open_class_scores`. A video needs its scores.
      batch_size: Windows of a video computed at once.

    Raises:
      FileNotFoundError: If there is no detector, or no network, in a folder.
      ValueError: If the folder holds no detector, see `load_detector`, the
        detector gives segments classes itself, a number makes no sense, or see
        `open_class_scores`.
    """
    check_settings(FeatureSettings(fps=fps))
    check_whole("batch_size", batch_size, 1)
    if detector in bundled.NAMES and not os.path.isdir(detector):
      raise ValueError(
        f"{detector} is a bundled network that classifies clips, which `temporal-jax "
        "predict` takes; to localize, give the folder of a detector."
      )
    is_open = isinstance(detector, Detector)
    self.detector = detector if is_open else load_detector(detector)
    self._features, self._fps, self._batch_size = features, fps, batch_size
    self._extractor: FilmExtractor | None = None
    self._class_scores: ClassScores | None = None
    if class_scores is not None:
      self._class_scores = self._open_class_scores(class_scores)
    if isinstance(features, str | os.PathLike):
      self._features = begin_loading(features)

  @property
  def extractor(self) -> FilmExtractor:
    """Makes the features of videos.

    Raises:
      ValueError: If there is no network for it, or this makes other features.
    """
    if self._extractor is None:
      kind = self.detector.feature_kind
      if kind is None:
        raise ValueError("the detector does not record its features.")
      model = find_network(kind) if self._features is None else self._features
      self._extractor = FilmExtractor(model, kind, batch_size=self._batch_size)
    return self._extractor

  def __call__(self, path: Path) -> Localization:
    """Returns the segments of a video; see `localize`."""
    return next(self.localize([path]))

  def localize(self, paths: Iterable[Path]) -> Iterator[Localization]:
    """Yields the segments of videos, in their order.

    A file that cannot be read has an `error` instead of segments, and the
    others go on.

    Args:
      paths: Video files, folders of the pictures *.jpg of a video, or files of
        features of one film.

    Raises:
      ValueError: If there is no network for videos, or it makes other features.
    """
    for path in paths:
      file = os.fspath(path)
      try:
        film = self._read(file)
        yield self._localize(file, film)
      except (OSError, VideoError) as error:
        yield Localization(file, None, error=str(error))
      except NotFiniteError:
        error = "the detector gives NaN or infinite numbers for its features"
        yield Localization(file, None, error=error)

  def segments(self, film: FilmFeatures, file: Path = "") -> tuple[Segment, ...]:
    """Returns the segments of a film, the best score first.

    Args:
      film: Its features.
      file: The video or the file of features, by whose name class scores are
        found.

    Raises:
      ValueError: If its features are of another kind, or class scores have none
        of it.
    """
    labeller, class_names = None, self.detector.class_names
    if self._class_scores is not None:
      named = [_as_film(file)]
      self._class_scores.check(named)
      labeller = self._class_scores.labeller(named, self.detector.decoding)
      class_names = self._class_scores.class_names
    (found,) = self.detector.detect([film], labeller=labeller)
    return named_segments(found, class_names)

  def of_reader(self, reader: Reader) -> tuple[Segment, ...]:
    """Returns the segments of an open video.

    Raises:
      VideoError: If a frame cannot be decoded.
    """
    return self.segments(self.extractor.of_reader(reader))

  def _localize(self, file: str, film: FilmFeatures) -> Localization:
    if self._class_scores is not None:
      try:
        self._class_scores.check([_as_film(file)])
      except ValueError as error:
        raise VideoError(str(error)) from error
    return Localization(file, film.longest, self.segments(film, file))

  def _open_class_scores(self, place: Path) -> ClassScores:
    """Opens class scores that the detector can use."""
    detector = self.detector
    if detector.class_names != CLASSLESS:
      raise ValueError(
        f"class scores {place} are for a detector whose segments have no class; this "
        f"one has {len(detector.class_names)} classes."
      )
    if is_of_windows(place) and not isinstance(detector.decoding, ProposalDecoding):
      raise ValueError(
        f"class scores must be a file of the scores of films (.npz) for "
        f"{type(detector.network).__name__}, got {place}."
      )
    return open_class_scores(place)

  def _read(self, file: str) -> FilmFeatures:
    """Returns the features of a file, whatever it holds."""
    try:
      check_no_pickle(file)
    except ValueError as error:
      raise VideoError(str(error)) from error
    if not is_features(file):
      extractor = self.extractor
      try:
        return extractor(file)
      except ValueError as error:
        raise VideoError(str(error)) from error
    kind, settings = self.detector.feature_kind, FeatureSettings()
    if kind is not None:
      settings = FeatureSettings(
        stride=kind.stride, window=kind.window, width=kind.width
      )
    try:
      film = read_features(file, settings, fps=self._fps)
      if self._fps not in (None, film.fps):
        raise VideoError(f"the file has fps {film.fps:g}, --fps is {self._fps:g}")
      if kind is not None:
        check_kind(file, film.kind, kind)
      check_positions(film, self.detector.form)
    except ValueError as error:
      raise VideoError(str(error)) from error
    return film


def _as_film(file: Path) -> Film:
  """Returns a file as a film, by whose names class scores are found."""
  path = pathlib.Path(file)
  return Film(path.stem, str(path), "", np.zeros((0, 2)), np.zeros(0, np.int64))


def is_features(path: Path) -> bool:
  """Whether a path names a file of features, by its ending."""
  return pathlib.Path(path).suffix.lower() in SUFFIXES
