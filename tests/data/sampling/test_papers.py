"""The papers' formulas, one frame after the other in plain Python."""

import fractions
import itertools

import numpy as np
import pytest

from temporal_jax.data.sampling import sample_indices

LENGTHS = (1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 64, 100, 251, 300)
CLIPS = (1, 2, 3, 4, 10)


def tsn(total, count, clip, clips):
  part = total / count
  return [int(part * i + part * (clip + 1) / (clips + 1)) for i in range(count)]


def atm_something(total, count, clip, clips):
  part = (total - 1) / count
  shift = int(part / (clips + 1) * (clip + 1))
  return [round(part * i) + shift for i in range(count)]


def atm_kinetics(total, count, clip, clips):
  part = total / count
  start = np.floor(np.linspace(0, part - 1, clips))[clip]
  return [int(start + part * i) % total for i in range(count)]


def ila(total, count, clip, clips):
  if clips == 1:
    return xvit_something(total, count, 0, 1)
  part = total // count
  if total < count:
    return [round(i * (total / count)) % total for i in range(count)]
  # The middle of the share of this clip.
  place = part * fractions.Fraction(2 * clip + 1, 2 * clips)
  return [i * part + int(place) for i in range(count)]


def xvit_something(total, count, clip, clips):
  part = (total - 1) / count
  taken = []
  for i in range(count):
    start, end = round(part * i), round(part * (i + 1))
    taken.append([(start + end) // 2, start, end][clip])
  return taken


def blvnet(total, count, clip, clips):
  if total <= count:
    drawn = np.random.RandomState(clip).choice(total, count)
    return sorted(drawn.tolist())
  tick = total / count
  shift = list(range(-clips // 2 + 1, clips // 2 + 1))[clip]
  if shift >= tick / 2:
    shift = tick / 2 - 1e-4
  elif shift < -tick / 2:
    shift = -tick / 2
  return [int(tick / 2 + shift + tick * i) for i in range(count)]


def tada_segments(total, count, clip, clips):
  edges = np.linspace(0, total, count + 1)
  place = 0.5 if clips == 1 else (clip + 1) / clips
  taken = [a + (b - a) * place for a, b in itertools.pairwise(edges)]
  return [round(min(one, total - 1)) for one in taken]


def interval(single, target):
  """Rule for videos of 25 frames per second: 4 frames apart at `target`."""

  def rule(total, count, clip, clips):
    span = count * 4 * 25 / target if target else count * 4
    room = max(total - span, 0)
    start = room * clip / clips
    if clips == 1 and single == "middle":
      start = room / 2
    places = np.linspace(start, start + span - 1, count)
    return [int(min(max(place, 0), total - 1)) for place in places]

  return rule


RULES = {
  "segments": tsn,
  "whole_segments": atm_something,
  "rounded_segments": atm_kinetics,
  "rounded_segments('inside')": ila,
  "rounded_segments('borders')": xvit_something,
  "equal_segments": blvnet,
  "nearest_segments": tada_segments,
  "interval(4)": interval("middle", 30),
  "interval(4, fps=60)": interval("middle", 60),
  "interval(4, fps=0)": interval("middle", 0),
  "interval(4, single='start')": interval("start", 30),
}


@pytest.mark.parametrize("rule", RULES)
def test_tests_take_the_frames_of_the_formula(rule):
  for total in LENGTHS:
    for count in (1, 4, 8, 16):
      for clips in CLIPS[:3] if "borders" in rule else CLIPS:
        for clip in range(clips):
          got = sample_indices(
            total, count, sampling=rule, fps=25.0, clip=clip, num_clips=clips
          )
          want = RULES[rule](total, count, clip, clips)
          assert got.tolist() == want, (total, count, clip, clips)


@pytest.mark.parametrize(
  ("rule", "total", "clips", "want"),
  [
    ("whole_segments", 33, 1, [[4, 12, 20, 28]]),
    ("whole_segments", 33, 3, [[2, 10, 18, 26], [4, 12, 20, 28], [6, 14, 22, 30]]),
    ("rounded_segments", 32, 2, [[0, 8, 16, 24], [7, 15, 23, 31]]),
    (
      "rounded_segments('borders')",
      33,
      3,
      [[4, 12, 20, 28], [0, 8, 16, 24], [8, 16, 24, 32]],
    ),
    ("equal_segments", 32, 3, [[3, 11, 19, 27], [4, 12, 20, 28], [5, 13, 21, 29]]),
    ("nearest_segments", 32, 2, [[4, 12, 20, 28], [8, 16, 24, 31]]),
    ("interval(8)", 64, 2, [[0, 10, 20, 31], [16, 26, 36, 47]]),
    ("fixed_stride", 35, 1, [[5, 13, 21, 29]]),
  ],
)
def test_figures_worked_out_by_hand(rule, total, clips, want):
  got = [
    sample_indices(
      total, 4, sampling=rule, fps=30.0, clip=clip, num_clips=clips
    ).tolist()
    for clip in range(clips)
  ]
  assert got == want


def whole(total, count):
  ticks = [i * total // count for i in range(count + 1)]
  return [set(range(a, b)) for a, b in itertools.pairwise(ticks)]


def rounded(total, count):
  part = (total - 1) / count
  return [set(range(round(part * i), round(part * (i + 1)) + 1)) for i in range(count)]


def equal(total, count):
  part = total // count
  return [set(range(i * part, (i + 1) * part)) for i in range(count)]


@pytest.mark.parametrize("total", [9, 23])
@pytest.mark.parametrize(
  ("rule", "allowed"),
  [
    ("whole_segments", whole),
    ("rounded_segments", rounded),
    ("random_clips", rounded),
    ("equal_segments", equal),
    ("equal_segments(shared=True)", equal),
  ],
)
def test_training_draws_every_frame_of_each_part_and_no_other(rule, allowed, total):
  rng = np.random.default_rng(0)
  drawn = np.stack(
    [sample_indices(total, 4, sampling=rule, rng=rng) for _ in range(300)]
  )
  assert [set(column.tolist()) for column in drawn.T] == allowed(total, 4)
  alike = np.unique(np.diff(drawn, axis=1), axis=0)
  assert (len(alike) == 1) == ("shared" in rule)


class At:
  """A generator whose every draw in [0, 1) is the same."""

  def __init__(self, place):
    self.place = place

  def random(self, size=None):
    return self.place if size is None else np.full(size, self.place)


@pytest.mark.parametrize("place", [0.0, 0.3, 0.999])
@pytest.mark.parametrize("total", LENGTHS)
def test_training_takes_uniform_places(total, place):
  edges = np.linspace(0, total, 9)
  near = [
    round(min(a + place * (b - a), total - 1)) for a, b in itertools.pairwise(edges)
  ]
  got = sample_indices(total, 8, sampling="nearest_segments", rng=At(place))
  assert got.tolist() == near

  span = 8 * 4 * 25 / 30
  start = max(total - span, 0) * place
  places = np.linspace(start, start + span - 1, 8)
  got = sample_indices(total, 8, sampling="interval(4)", fps=25.0, rng=At(place))
  assert got.tolist() == [int(min(one, total - 1)) for one in places]


def test_short_videos_of_something_something_show_all_frames_and_repeats():
  rng = np.random.default_rng(0)
  for _ in range(50):
    got = sample_indices(5, 8, sampling="whole_segments", rng=rng)
    assert set(got.tolist()) == set(range(5))
    assert np.all(np.diff(got) >= 0)


def test_random_clips_of_a_test_are_the_same_every_time_and_differ():
  def clips():
    return [
      sample_indices(160, 8, sampling="random_clips", clip=clip, num_clips=4).tolist()
      for clip in range(4)
    ]

  got = clips()
  assert got == clips()
  assert len({tuple(clip) for clip in got}) == 4
  for clip in got:
    assert [frame // 20 for frame in clip] == list(range(8))
