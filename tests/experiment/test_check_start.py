"""Checks of all stages before the first one runs."""

import pytest

from temporal_jax import train, training
from temporal_jax.configs import base


@pytest.mark.parametrize(
  ("later", "message"),
  [
    ({"num_steps": 5}, "LAST <= the run's 5 steps; got '2:8'"),
    ({"observers": ("wandbb",)}, "wandbb"),
    ({"task": "no task"}, "no task"),
  ],
)
def test_a_later_stage_is_refused_before_the_first(tmp_path, later, message):
  config = base.get_config()
  config.stages = ({"num_steps": 9}, later)
  with pytest.raises(ValueError, match=message):
    train.run_stages(config, tmp_path / "run", training.StopRequest(), "2:8")
  assert not (tmp_path / "run").exists()
