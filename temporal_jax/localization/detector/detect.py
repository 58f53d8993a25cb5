"""Detector: a network with its decoding of segments."""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax.evaluation.detection.film_segments import FilmDetections
from temporal_jax.localization.decoding.points import Candidates, find_candidates
from temporal_jax.localization.detector.decode import (
  Decoded,
  decode_points,
  decode_proposals,
)
from temporal_jax.localization.detector.decoding_settings import (
  Decoding,
  PointDecoding,
  ProposalDecoding,
)
from temporal_jax.localization.detector.labellers import FilmProposals, Labeller
from temporal_jax.localization.detector.length_buckets import padded_positions
from temporal_jax.localization.detector.sequence_format import (
  PAD,
  RESAMPLE,
  WINDOWS,
  SequenceFormat,
)
from temporal_jax.localization.detector.sequences import (
  FilmSequences,
  film_sequences,
)
from temporal_jax.localization.features.film_features import (
  FeatureKind,
  FilmFeatures,
  check_kind,
)
from temporal_jax.localization.networks.actionformer import ActionFormer
from temporal_jax.localization.networks.bmn import BMN
from temporal_jax.validation import check_whole

# Network -> its decoding settings, and the sequences it takes.
_TAKES: Mapping[type, tuple[type, tuple[str, ...]]] = {
  ActionFormer: (PointDecoding, (PAD, RESAMPLE)),
  BMN: (ProposalDecoding, (RESAMPLE, WINDOWS)),
}
CLASSLESS = ("segment",)  # The class of segments that have none.


class NotFiniteError(ValueError):
  """A network gives NaN or infinite numbers for a film."""


class Detector:
  """Finds segments in the features of films.

  Attributes:
    network: An `ActionFormer` or a `BMN`.
    variables: {"params", ...} of the network.
    form: Kind of the sequences of a film.
    decoding: Settings that turn the network's outputs into segments.
    class_names: Names of the classes; ("segment",) where it knows none.
    feature_kind: Kind that features must have.
  """

  def __init__(
    self,
    network: nn.Module,
    variables: Mapping[str, Any],
    form: SequenceFormat,
    decoding: Decoding,
    class_names: Sequence[str] = (),
    feature_kind: FeatureKind | None = None,
  ):
    """Takes a trained network; it is compiled with the first films.

    Args:
      network: An `ActionFormer` or a `BMN`.
      variables: {"params", ...} of the network.
      form: Kind of the sequences of a film.
      decoding: Settings that turn the network's outputs into segments.
      class_names: Names of the classes, () if they are not known.
      feature_kind: Kind that features must have; None allows all.

    Raises:
      ValueError: If the network takes no such sequences, has no results for
        such decoding, or has another number of classes than there are names.
    """
    check_pipeline(network, form, decoding)
    self.network, self.variables = network, variables
    self.form, self.decoding = form, decoding
    self.feature_kind = feature_kind
    self.class_names = _class_names(network, class_names)
    is_points = isinstance(decoding, PointDecoding)
    self._forward = jax.jit(self._candidates if is_points else self._maps)

  def detect(
    self,
    films: Iterable[FilmFeatures],
    *,
    batch_size: int = 8,
    labeller: Labeller | None = None,
  ) -> Iterator[FilmDetections]:
    """Yields the segments found in films, in their order.

    Args:
      films: Their features.
      batch_size: Films read at once, and sequences computed at once, at most.
      labeller: Labels the segments instead of the network.

    Yields:
      Segments in seconds, inside of the film, the best score first.

    Raises:
      ValueError: If `batch_size` is below 1, features are of another kind, or a
        film is too long, see `check_positions`.
      NotFiniteError: If the network gives NaN or infinite numbers for a film.
    """
    for proposals in self.find(films, batch_size=batch_size):
      found = labeller(proposals) if labeller else proposals.found
      yield in_seconds(found, proposals.film)

  def find(
    self, films: Iterable[FilmFeatures], *, batch_size: int = 8
  ) -> Iterator[FilmProposals]:
    """Yields the same before it is labelled, in positions; see `detect`."""
    check_whole("batch_size", batch_size, 1)
    numbered = enumerate(films)
    while batch := list(itertools.islice(numbered, batch_size)):
      for number, film in batch:
        if self.feature_kind is not None:
          check_kind(f"film {number}", film.kind, self.feature_kind)
      sequences = [film_sequences(film, self.form) for _, film in batch]
      results = self._compute(sequences, batch_size)
      for (number, film), made, rows in zip(batch, sequences, results, strict=True):
        if not all(row.pop("is_finite") for row in rows):
          raise NotFiniteError(
            f"the network gives NaN or infinite numbers for film {number}."
          )
        found = self._decode(made, rows, film.longest)
        # The end of a film of unknown length would move with its positions.
        positions = dataclasses.replace(made.film, duration=film.longest)
        yield FilmProposals(number, found, positions)

  def _compute(
    self, films: Sequence[FilmSequences], batch_size: int
  ) -> list[list[dict[str, np.ndarray]]]:
    """Returns the network's outputs for each sequence of each film."""
    places: dict[int, list[tuple[int, int]]] = {}
    for film, sequences in enumerate(films):
      count, length, _ = sequences.values.shape
      for row in range(count):
        places.setdefault(self._length(length), []).append((film, row))
    results = [[{}] * len(sequences.values) for sequences in films]
    for length, of_length in places.items():
      for first in range(0, len(of_length), batch_size):
        part = of_length[first:][:batch_size]
        # The next power of two, so that few shapes are compiled.
        size = min(1 << (len(part) - 1).bit_length(), batch_size)
        out = self._forward(
          {"params": self.variables["params"]},
          *_fill([(films[film], row) for film, row in part], size, length),
        )
        out = jax.tree.map(np.asarray, out)
        for place, (film, row) in enumerate(part):
          results[film][row] = {name: x[place] for name, x in out.items()}
    return results

  def _length(self, length: int) -> int:
    """Returns the positions that a sequence is computed with."""
    if isinstance(self.network, ActionFormer):
      return padded_positions(self.network, length)
    return length

  def _candidates(
    self, variables: Mapping[str, Any], values: jax.Array, mask: jax.Array
  ) -> dict[str, jax.Array]:
    """Returns the best candidates of sequences."""
    levels = self.network.apply(variables, values, mask)
    found = find_candidates(
      levels,
      threshold=self.decoding.threshold,
      most=self.decoding.most,
      shortest=self.decoding.shortest,
    )
    given = [level[name] for level in levels for name in ("logits", "offsets")]
    return {**found._asdict(), "is_finite": _is_finite(given)}

  def _maps(
    self, variables: Mapping[str, Any], values: jax.Array, mask: jax.Array
  ) -> dict[str, jax.Array]:
    """Returns the maps of sequences that proposals are made of."""
    del mask  # Positions outside of a film are zero in training too.
    out = self.network.apply(variables, values)
    maps = {name: out[name] for name in ("start", "end", "confidence")}
    return {**maps, "is_finite": _is_finite(list(maps.values()))}

  def _decode(
    self,
    sequences: FilmSequences,
    results: Sequence[dict[str, np.ndarray]],
    duration: float,
  ) -> Decoded:
    """Returns the segments of a film, in positions."""
    if isinstance(self.decoding, PointDecoding):
      (found,) = results
      return decode_points(Candidates(**found), self.decoding)
    length = len(sequences.film.values)
    return decode_proposals(results, sequences.starts, length, duration, self.decoding)


def _is_finite(given: Sequence[jax.Array]) -> jax.Array:
  """Returns whether all numbers of each row are finite, (B,)."""
  rows = [jnp.isfinite(x).reshape(len(x), -1).all(axis=1) for x in given]
  return jnp.stack(rows).all(axis=0)


def check_pipeline(
  network: nn.Module, form: SequenceFormat, decoding: Decoding
) -> None:
  """Checks that a network, its sequences and its decoding fit each other.

  Raises:
    ValueError: If they do not.
  """
  name = type(network).__name__
  if type(network) not in _TAKES:
    known = [kind.__name__ for kind in _TAKES]
    raise ValueError(f"a detector's network must be one of {known}, got {name}.")
  kind, fits = _TAKES[type(network)]
  if form.fit not in fits:
    raise ValueError(f"fit must be one of {list(fits)} for {name}, got {form.fit!r}.")
  if not isinstance(decoding, kind):
    raise ValueError(
      f"the decoding of {name} must be {kind.__name__}, got {type(decoding).__name__}."
    )


def _class_names(network: nn.Module, names: Sequence[str]) -> tuple[str, ...]:
  """Returns a name for each class."""
  count = 1 if isinstance(network, BMN) else network.num_classes
  if isinstance(network, BMN) and not names:
    return CLASSLESS
  names = tuple(names) or tuple(map(str, range(count)))
  if len(names) != count:
    raise ValueError(f"class_names must name the {count} classes, got {len(names)}.")
  return names


def _fill(
  rows: Sequence[tuple[FilmSequences, int]], size: int, length: int
) -> tuple[np.ndarray, np.ndarray]:
  """Returns values (size, length, C) and mask (size, length) of sequences."""
  channels = rows[0][0].values.shape[2]
  values = np.zeros((size, length, channels), np.float32)
  mask = np.zeros((size, length), bool)
  for place, (sequences, row) in enumerate(rows):
    held = sequences.values.shape[1]
    values[place, :held] = sequences.values[row]
    mask[place, :held] = sequences.mask[row]
  return values, mask


def in_seconds(found: Decoded, film: FilmFeatures) -> FilmDetections:
  """Returns segments in seconds; those outside of the film are none.

  Args:
    found: Segments in positions.
    film: The film of these positions.
  """
  seconds = np.clip(film.seconds(found.segments), 0.0, film.longest)
  inside = seconds[:, 0] < seconds[:, 1]
  return FilmDetections(seconds[inside], found.labels[inside], found.scores[inside])
