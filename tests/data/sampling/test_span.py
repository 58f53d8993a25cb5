import pytest

from temporal_jax.data.sampling import frames_of_span

EVERY_TENTH = [n / 10 for n in range(50)]  # Five seconds of frames.


@pytest.mark.parametrize(
  ("start", "stop", "want"),
  [
    (0.0, 5.0, (0, 50)),
    (1.0, 2.0, (10, 10)),
    (1.05, 2.05, (11, 10)),
    (4.0, 9.0, (40, 10)),  # Annotations go past the end.
    (1.02, 1.04, (10, 1)),  # Between two frames: the one on the screen.
    (4.95, 6.0, (49, 1)),  # While the last frame is shown.
  ],
)
def test_frames_shown_in_a_span(start, stop, want):
  assert frames_of_span(EVERY_TENTH, start, stop) == want


def test_times_need_not_be_even():
  assert frames_of_span([0.0, 0.1, 2.0, 2.5], 0.1, 2.2) == (1, 2)


def test_a_single_frame_is_shown_for_ever():
  assert frames_of_span([0.0], 3.0, 4.0) == (0, 1)


@pytest.mark.parametrize(
  ("times", "start", "stop", "message"),
  [
    (EVERY_TENTH, 2.0, 2.0, "start < stop"),
    (EVERY_TENTH, -1.0, 2.0, "start < stop"),
    (EVERY_TENTH, 6.0, 7.0, "past the last frame, at 4.9 s"),
    ([], 0.0, 1.0, "at least 1 frame"),
  ],
)
def test_impossible_spans_are_refused(times, start, stop, message):
  with pytest.raises(ValueError, match=message):
    frames_of_span(times, start, stop)
