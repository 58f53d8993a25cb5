import jax
import jax.numpy as jnp
import pytest

from temporal_jax.training import Profile, parse_steps


def _run(profile, steps):
  """Runs steps as the training loop does."""
  with profile:
    for step in steps:
      with profile.step(step):
        result = jax.jit(jnp.sin)(float(step))
      profile.end_step(step + 1, result)


def test_the_trace_is_where_xprof_looks_for_it(tmp_path):
  _run(Profile(tmp_path, range(2, 4)), range(5))
  (file,) = (tmp_path / "profile").glob("plugins/profile/*/*.xplane.pb")
  content = file.read_bytes()
  data = jax.profiler.ProfileData.from_serialized_xspace(content)
  events = [
    (event.name, dict(event.stats))
    for plane in data.planes
    for line in plane.lines
    for event in line.events
  ]
  steps = [stats["step_num"] for name, stats in events if name == "train"]
  assert steps == [2, 3]


def test_a_trace_ends_with_an_error(tmp_path):
  profile = Profile(tmp_path, range(0, 9))
  with pytest.raises(KeyboardInterrupt), profile, profile.step(0):
    raise KeyboardInterrupt
  assert list((tmp_path / "profile").glob("plugins/profile/*/*.xplane.pb"))


def test_no_trace_writes_nothing(tmp_path):
  _run(Profile(tmp_path), range(2))
  assert list(tmp_path.iterdir()) == []


def test_steps_are_parsed():
  assert parse_steps("100:110", 110) == range(100, 110)
  assert parse_steps("100:110", None) == range(100, 110)


@pytest.mark.parametrize(
  "text", ["", "5", "5:", ":5", "5:5", "6:5", "-1:5", "0:11", "a:b", "1:2:3", "1_0:12"]
)
def test_other_steps_are_refused(text):
  with pytest.raises(ValueError, match=r"--profile must be FIRST:LAST.* 10 steps; got"):
    parse_steps(text, 10)


def test_other_steps_are_refused_before_their_number_is_known():
  with pytest.raises(ValueError, match=r"<= the run's number of steps; got '6:5'"):
    parse_steps("6:5", None)
