"""Detections of films: one by one or together, padded or not, shifted."""

import dataclasses
import functools

import jax
import numpy as np
import pytest

from temporal_jax.evaluation.detection import FilmDetections
from temporal_jax.localization import (
  Detector,
  FilmLabels,
  PairLabels,
  PointDecoding,
  ProposalDecoding,
  SequenceFormat,
  create_localizer,
  film_sequences,
)
from temporal_jax.localization.decoding.points import Candidates
from temporal_jax.localization.detector.decode import decode_points
from temporal_jax.localization.detector.length_buckets import padded_positions
from tests.support.tiny_detectors import KIND, KINDS, film, tiny_detector

SECONDS = 3.0


def _assert_same(got, wanted, shift=0.0):
  assert len(got.scores) == len(wanted.scores)
  np.testing.assert_allclose(got.segments, wanted.segments + shift, atol=1e-3)
  np.testing.assert_allclose(got.scores, wanted.scores, rtol=1e-3, atol=1e-5)
  np.testing.assert_array_equal(got.labels, wanted.labels)


@pytest.mark.parametrize("name", KINDS)
def test_a_batch_of_films_is_the_films_one_by_one(name):
  detector, _ = tiny_detector(name)
  films = [film(length, seed) for seed, length in enumerate((7, 30, 1, 9))]
  together = list(detector.detect(films, batch_size=3))
  assert len(together) == len(films)
  assert sum(len(found.scores) for found in together) > 10
  for one, found in zip(films, together, strict=True):
    (alone,) = detector.detect([one], batch_size=1)
    _assert_same(alone, found)
    assert (found.segments[:, 0] >= 0).all()
    assert (found.segments[:, 0] < found.segments[:, 1]).all()
    assert (found.segments[:, 1] <= one.longest).all()
    assert (np.diff(found.scores) <= 0).all() or name == "resample"


@pytest.mark.parametrize(
  ("length", "positions"),
  [
    (5, False),
    (24, False),
    (25, True),
    *(
      pytest.param(length, positions, marks=pytest.mark.slow)
      for length in (12, 23, 25, 30)
      for positions in (False, True)
      if (length, positions) != (25, True)
    ),
  ],
)
def test_results_do_not_depend_on_the_bucket(length, positions):
  """They are those of the length that the authors pad to."""
  detector, _ = tiny_detector("pad", overrides={"positions": positions})
  network = detector.network
  bucket = padded_positions(network, length)
  exact = -(-network.padded_length(length) // 2) * 2
  assert length <= bucket <= exact
  values = np.zeros((1, exact, 5), np.float32)
  values[0, :length] = film(length).values
  mask = np.arange(exact)[None] < length
  apply = jax.jit(network.apply)
  wide, short = (
    apply(detector.variables, values[:, :size], mask[:, :size])
    for size in (exact, bucket)
  )
  for one, other in zip(short, wide, strict=True):
    held = np.asarray(one["mask"])[0]
    assert held.sum() == np.asarray(other["mask"]).sum()
    for key in ("logits", "offsets"):
      np.testing.assert_allclose(
        one[key][0][held],
        other[key][0][: len(held)][held],
        rtol=1e-4,
        atol=1e-4,
      )


def test_buckets_are_few():
  network = create_localizer("actionformer", num_classes=2)
  found = {padded_positions(network, length) for length in range(1, 5000)}
  assert len(found) < 20
  assert all(padded_positions(network, length) >= length for length in range(1, 5000))
  stretched = create_localizer("actionformer", num_classes=2, positions=True)
  assert padded_positions(stretched, 3000) == stretched.padded_length(3000)
  assert padded_positions(stretched, 30) == 64


@pytest.mark.parametrize("name", KINDS)
def test_an_offset_shifts_detections(name):
  detector, _ = tiny_detector(name)
  whole = film(40, duration=1000.0)
  later = dataclasses.replace(whole, offset=SECONDS * whole.fps)
  one, other = detector.detect([whole, later])
  inside = one.segments[:, 0] > 0
  kept = FilmDetections(*(x[inside] for x in one))
  inside = other.segments[:, 0] > SECONDS
  _assert_same(FilmDetections(*(x[inside] for x in other)), kept, SECONDS)


def test_a_film_that_begins_later_has_its_segments_later():
  """The same events after 3 s more of nothing, far from both ends."""
  decoding = PointDecoding(threshold=0.3, suppression="none", max_segments=10_000)
  detector, _ = tiny_detector("pad", decoding=decoding)
  before = 12  # Positions of 2 of 8 frames per second, and 6 of the last stride.
  assert before * 2 / 8 == SECONDS
  values = np.zeros((200, 5), np.float32)
  values[90:110] = film(20).values
  shifted = np.concatenate([np.zeros((before, 5), np.float32), values])
  one, other = detector.detect([film(200, values=x) for x in (values, shifted)])
  middles = one.segments.mean(axis=1)
  near = (middles > 20) & (middles < 30)
  assert near.sum() > 20
  middles = other.segments.mean(axis=1)
  also = (middles > 20 + SECONDS) & (middles < 30 + SECONDS)
  order = np.lexsort(one.segments[near].T)
  later = np.lexsort(other.segments[also].T)
  np.testing.assert_allclose(
    other.segments[also][later], one.segments[near][order] + SECONDS, atol=1e-3
  )
  np.testing.assert_allclose(
    other.scores[also][later], one.scores[near][order], rtol=1e-3
  )


def test_few_shapes_are_compiled():
  detector, _ = tiny_detector("pad")
  films = [film(length, length) for length in (9, 10, 11, 12, 10, 9)]
  list(detector.detect(films, batch_size=2))
  # 12 or 16 positions of two films.
  assert detector._forward._cache_size() == 2


def test_sequences_of_a_film():
  one = film(30)
  padded = film_sequences(one, SequenceFormat("pad", 24))
  assert padded.values.shape == (1, 30, 5)
  assert padded.mask.all()
  resampled = film_sequences(one, SequenceFormat("resample", 12))
  assert resampled.values.shape == (1, 12, 5)
  np.testing.assert_allclose(
    resampled.film.seconds(np.array([0, 11])), one.seconds(np.array([0, 29]))
  )
  windows = film_sequences(one, SequenceFormat("windows", 12, step=6, every=2.0))
  assert windows.values.shape == (2, 12, 5)
  np.testing.assert_array_equal(windows.starts, [0, 3])
  assert len(windows.film.values) == 15
  short = film_sequences(film(1), SequenceFormat("windows", 12, step=6, every=2.0))
  assert short.mask.sum() == 1


def test_each_suppression_is_its_own():
  rng = np.random.default_rng(0)
  start, length = rng.uniform(0, 20, 40), rng.uniform(1, 9, 40)
  scores = np.where(np.arange(40) < 30, rng.uniform(0.1, 1, 40), 0)  # 10 are none.
  segments = np.stack([start, start + length], axis=1)
  found = Candidates(segments, scores, np.arange(40) % 2)
  decode = functools.partial(PointDecoding, min_score=0.0, overlap=0.3)
  soft, hard, none = (
    decode_points(found, decode(suppression=one)) for one in ("soft", "hard", "none")
  )
  assert len(hard.scores) < len(soft.scores) == len(none.scores) == 30
  assert soft.scores.sum() < none.scores.sum()
  np.testing.assert_array_equal(none.scores, np.sort(scores[:30])[::-1])
  agnostic = decode(suppression="hard", class_agnostic=True)
  voted = dataclasses.replace(agnostic, voting=0.5)
  plain, voted = decode_points(found, agnostic), decode_points(found, voted)
  assert len(plain.scores) < len(hard.scores)
  assert (plain.segments != voted.segments).any()
  np.testing.assert_array_equal(plain.scores, voted.scores)
  (best,) = decode_points(found, decode(suppression="none", max_segments=1)).scores
  assert best == scores.max()


def test_each_suppression_of_proposals_is_its_own():
  decodings = [
    ProposalDecoding(threshold=0.0, suppression=one, low=0.5, max_segments=1000)
    for one in ("soft", "hard", "none")
  ]
  soft, hard, none = (
    next(tiny_detector("proposals", decoding=one)[0].detect([film(40)]))
    for one in decodings
  )
  assert len(hard.scores) < len(none.scores) == len(soft.scores)
  assert soft.scores.sum() < none.scores.sum()


def test_proposals_are_as_many_as_seconds():
  decoding = ProposalDecoding(threshold=0.0, per_second=0.5)
  detector, _ = tiny_detector("proposals", decoding=decoding)
  (found,) = detector.detect([film(40, duration=10.5)])
  assert len(found.scores) == 6


def test_labels_of_films_and_pairs():
  detector, _ = tiny_detector("proposals")
  films = [film(40), film(20, 1)]
  plain = list(detector.detect(films))
  assert all((one.labels == 0).all() for one in plain)
  assert detector.class_names == ("segment",)
  scores = [np.array([0.1, 0.9]), np.array([0.5, 0.25])]
  labelled = detector.detect(films, labeller=FilmLabels(scores))
  for one, other, label, score in zip(plain, labelled, (1, 0), (0.9, 0.5), strict=True):
    assert set(other.labels) == {label}
    np.testing.assert_allclose(other.segments, one.segments)
    np.testing.assert_allclose(other.scores, one.scores * score)
  rng = np.random.default_rng(0)
  verbs, nouns = (
    [rng.standard_normal((len(one.values), count)) for one in films] for count in (4, 6)
  )
  pairs = detector.detect(films, labeller=PairLabels(verbs, nouns, num_pairs=2))
  for one, other in zip(plain, pairs, strict=True):
    assert other.labels.shape == (2 * len(one.labels), 2)
    assert (other.labels < [4, 6]).all()
    assert (other.scores < one.scores.max()).all()


def test_other_features_are_refused():
  detector, _ = tiny_detector("pad")
  others = film(9, kind=KIND._replace(stride=4, weights="1" * 64))
  with pytest.raises(ValueError, match=r"film 1 have stride 4 instead of 2, weights"):
    list(detector.detect([film(9), others]))
  with pytest.raises(ValueError, match="batch_size must be an integer"):
    next(detector.detect([film(9)], batch_size=0))


@pytest.mark.parametrize("name", ["pad", "windows"])
def test_a_network_that_gives_nan_is_no_film_without_segments(name):
  detector, _ = tiny_detector(name)
  broken = jax.tree.map(lambda leaf: np.float32(1e38) * leaf, detector.variables)
  other = Detector(detector.network, broken, detector.form, detector.decoding)
  with pytest.raises(ValueError, match="NaN or infinite numbers for film 0"):
    next(other.detect([film(9)]))


def test_a_film_may_be_too_long():
  values = np.broadcast_to(np.float32(0), (2**17 + 1, 5))
  detector, _ = tiny_detector("pad")
  with pytest.raises(ValueError, match=r"at most 131072 positions .* got 131073"):
    next(detector.detect([film(0, values=values)]))


def test_what_does_not_fit_is_refused():
  detector, _ = tiny_detector("pad")
  network, variables = detector.network, detector.variables
  form, decoding = detector.form, detector.decoding
  cases = [
    ((network, SequenceFormat("windows", 8, step=4), decoding), "fit must be one of"),
    ((network, form, ProposalDecoding()), "ActionFormer must be PointDecoding"),
    ((object(), form, decoding), "must be one of .*, got object"),
  ]
  for (one, two, three), words in cases:
    with pytest.raises(ValueError, match=words):
      Detector(one, variables, two, three)
  with pytest.raises(ValueError, match="must name the 3 classes, got 2"):
    Detector(network, variables, form, decoding, ("a", "b"))
  assert Detector(network, variables, form, decoding).class_names == ("0", "1", "2")


@pytest.mark.parametrize(
  ("arguments", "words"),
  [
    ({"fit": "crop", "length": 9}, "fit must be one of"),
    ({"fit": "pad", "length": 1}, "length must be an integer of at least 2"),
    ({"fit": "windows", "length": 9}, "step must be 1 to 9"),
    ({"fit": "windows", "length": 9, "step": 10}, "step must be 1 to 9"),
    ({"fit": "pad", "length": 9, "step": 3}, "step must be .* 0 with pad"),
    ({"fit": "pad", "length": 9, "every": float("nan")}, "every must be a number"),
    ({"fit": "resample", "length": 9, "every": 2.0}, "every must be 1"),
  ],
)
def test_wrong_sequences_are_refused(arguments, words):
  with pytest.raises(ValueError, match=words):
    SequenceFormat(**arguments)


@pytest.mark.parametrize(
  ("kind", "field", "value"),
  [
    *((PointDecoding, field, -1) for field in ("threshold", "most", "shortest")),
    (PointDecoding, "suppression", "sotf"),
    (PointDecoding, "sigma", 0),
    (PointDecoding, "max_segments", 0),
    (PointDecoding, "voting", 0.9),
    (PointDecoding, "class_agnostic", "yes"),
    *((ProposalDecoding, field, -1) for field in ("alpha", "low", "max_segments")),
    (ProposalDecoding, "per_second", float("nan")),
    (ProposalDecoding, "classification_power", 1e9),
  ],
)
def test_wrong_decoding_is_refused(kind, field, value):
  with pytest.raises(ValueError, match=field):
    kind(**{field: value})


def test_variables_may_be_on_the_device():
  detector, _ = tiny_detector("pad")
  wanted = next(detector.detect([film(9)]))
  variables = jax.device_put(detector.variables)
  other = Detector(
    detector.network, variables, detector.form, detector.decoding, (), KIND
  )
  _assert_same(next(other.detect([film(9)])), wanted)
