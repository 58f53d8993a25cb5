"""Sequences of films to train on, all of one shape, and batches cut to size."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import flax.linen as nn
import numpy as np

from temporal_jax.data.annotations.films import Film
from temporal_jax.data.pipeline.bad_videos import BadVideos
from temporal_jax.localization.detector.length_buckets import padded_positions
from temporal_jax.localization.detector.sequence_format import (
  WINDOWS,
  SequenceFormat,
)
from temporal_jax.localization.detector.sequences import (
  FilmSequences,
  film_sequences,
)
from temporal_jax.localization.features.store import FeatureStore
from temporal_jax.localization.features.windows import segments_inside
from temporal_jax.localization.networks.actionformer import ActionFormer
from temporal_jax.localization.training.film_cache import FilmCache
from temporal_jax.localization.training.random_crop import random_crop

_CACHE_BYTES = 2**31  # Some 70 films of EPIC-Kitchens with 2048 numbers.
_FEWEST_SEGMENTS = 8  # Places for segments of a sequence, at least.


@dataclasses.dataclass(frozen=True)
class CropSettings:
  """Settings of the random part of a film in a training sequence.

  Attributes:
    sizes: See `random_crop`; None for the whole film.
    share: See `random_crop`.
  """

  sizes: tuple[float, float] | None = (0.9, 1.0)
  share: float = 0.5


@dataclasses.dataclass(frozen=True)
class TrainingSequences:
  """Sequences to train on.

  Attributes:
    films: The films, with one label for each segment.
    store: Their features.
    form: Kind of the sequences of a film.
    length: Positions that sequences are padded to, at least the form's.
    crop: Settings of the random part of a film; windows are whole.
    bad_films: Handling of films whose features cannot be read.
  """

  films: Sequence[Film]
  store: FeatureStore
  form: SequenceFormat
  length: int
  crop: CropSettings
  bad_films: BadVideos

  @functools.cached_property
  def places(self) -> list[tuple[int, int]]:
    """Film and number of the window of each sequence of an epoch."""
    if self.form.fit != WINDOWS:
      return [(number, 0) for number in range(len(self.films))]
    return [
      (number, window)
      for number, film in enumerate(self.films)
      for window in range(self._num_windows(film))
    ]

  @functools.cached_property
  def num_segments(self) -> int:
    """Places for segments of a sequence."""
    return places_for(max((len(film.segments) for film in self.films), default=0))

  def read(self, index: int, rng: np.random.Generator) -> dict[str, Any] | None:
    """Returns sequence `index`; None if its film is bad and is to be skipped.

    Returns:
      "features" (T, C) float32, "mask" (T,), "segments" (G, 2) in positions,
      "labels" (G,) int32 and "exists" (G,).

    Raises:
      BadVideoError: If the film cannot be read and `bad_films` raises.
    """
    number, window = self.places[index]
    is_cut = self.form.fit == WINDOWS
    film = self.films[number]
    try:
      made = self._windows.read(number) if is_cut else self._read_film(number)
    except (OSError, ValueError) as error:
      self.bad_films.add(film.id, str(error), listed=len(self.films))
      return None
    values, mask = made.values[window], made.mask[window]
    segments = made.film.positions(film.segments)
    if is_cut:
      start, stop = made.starts[window], made.starts[window] + self.form.length
      kept = segments_inside(segments, start, stop)
      segments = segments[kept] - start
    else:
      crop = random_crop(
        rng,
        len(values),
        segments,
        most=self.form.length,
        sizes=self.crop.sizes,
        share=self.crop.share,
        margin=made.film.window / 2 / made.film.stride,
      )
      values, mask = values[crop.start : crop.stop], mask[crop.start : crop.stop]
      segments, kept = crop.segments, crop.kept
    return self._element(values, mask, segments, film.labels[kept])

  @functools.cached_property
  def _windows(self) -> FilmCache:
    """The windows of films, of which each is a sequence of its own."""
    return FilmCache(self._read_film, _CACHE_BYTES)

  def _read_film(self, number: int) -> FilmSequences:
    """Returns all sequences of a film."""
    return film_sequences(self.store.read(self.films[number]), self.form)

  def _element(
    self,
    values: np.ndarray,
    mask: np.ndarray,
    segments: np.ndarray,
    labels: np.ndarray,
  ) -> dict[str, Any]:
    """Pads all arrays."""
    after, more = self.length - len(values), self.num_segments - len(segments)
    return {
      "features": np.pad(values, ((0, after), (0, 0))),
      "mask": np.pad(mask, (0, after)),
      "segments": np.pad(segments.astype(np.float32), ((0, more), (0, 0))),
      "labels": np.pad(labels.astype(np.int32), (0, more)),
      "exists": np.arange(self.num_segments) < len(segments),
    }

  def _num_windows(self, film: Film) -> int:
    """Returns the number of windows of `film_sequences`, by the header."""
    positions = self.store.describe(film).length
    resampled = round(positions / self.form.every)
    if self.form.every != 1 and resampled > 1:
      positions = resampled
    last = max(positions - self.form.length, 0)
    return -(-last // self.form.step) + 1


def places_for(count: int) -> int:
  """Returns the places for so many segments: a power of two."""
  return max(1 << (count - 1).bit_length() if count else 0, _FEWEST_SEGMENTS)


def cut_to_bucket(
  batch: Mapping[str, np.ndarray], network: nn.Module
) -> dict[str, np.ndarray]:
  """Cuts the padding of a batch down to one of few shapes.

  A step is compiled for each of them. Values do not change: masks are exact.

  Args:
    batch: Rows of `TrainingSequences`.
    network: The network; the sequences of a BMN have one length.
  """
  longest = int(batch["mask"].sum(axis=1).max())
  length = batch["mask"].shape[1]
  if isinstance(network, ActionFormer):
    length = min(length, padded_positions(network, longest))
  places = places_for(int(batch["exists"].sum(axis=1).max()))
  sizes = {"features": length, "mask": length}
  return {name: values[:, : sizes.get(name, places)] for name, values in batch.items()}
