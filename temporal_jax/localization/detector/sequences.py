"""Sequences of positions, made of the features of a film."""

from typing import NamedTuple

import numpy as np

from temporal_jax.localization.detector.sequence_format import (
  MAX_POSITIONS,
  PAD,
  RESAMPLE,
  WINDOWS,
  SequenceFormat,
)
from temporal_jax.localization.features.film_features import FilmFeatures
from temporal_jax.localization.features.windows import cut_windows


class FilmSequences(NamedTuple):
  """The sequences of a film.

  Attributes:
    values: (N, T, C) float32; zeros where a short film has no position.
    mask: (N, T) bool: where there is one.
    starts: (N,) position of the film that each sequence begins at.
    film: The film with the positions of the sequences.
  """

  values: np.ndarray
  mask: np.ndarray
  starts: np.ndarray
  film: FilmFeatures


def check_positions(film: FilmFeatures, form: SequenceFormat) -> None:
  """Refuses a film that is longer than one sequence can be.

  Raises:
    ValueError: If it has more than `MAX_POSITIONS` and is not cut or resampled.
  """
  positions = len(film.values)
  if form.fit == PAD and positions / form.every > MAX_POSITIONS:
    raise ValueError(
      f"a film must have at most {MAX_POSITIONS} positions to be one sequence, got "
      f"{positions}."
    )


def film_sequences(features: FilmFeatures, form: SequenceFormat) -> FilmSequences:
  """Makes the sequences of a film.

  Args:
    features: The film.
    form: Format of the sequences. With "pad" there is one, as long as the film.

  Raises:
    ValueError: See `check_positions`.
  """
  check_positions(features, form)
  if form.every != 1:
    positions = round(len(features.values) / form.every)
    if positions > 1:  # Less cannot be resampled to.
      features = features.resampled(positions)
  if form.fit == RESAMPLE:
    features = features.resampled(form.length)
  if form.fit == WINDOWS:
    windows = cut_windows(features.values, form.length, form.step)
    return FilmSequences(*windows, features)
  mask = np.ones((1, len(features.values)), bool)
  return FilmSequences(features.values[None], mask, np.zeros(1, np.int64), features)
