"""Runs that follow each other."""

import pytest

from temporal_jax.configs import base
from temporal_jax.experiment import stages


def test_stages_change_the_config():
  config = base.get_config()
  config.stages = (
    {"data.num_frames": 16},
    {"data.num_frames": 32, "optim.lr": 0.005},
  )
  first, second = stages(config)
  assert (first.data.num_frames, second.data.num_frames) == (16, 32)
  assert (first.optim.lr, second.optim.lr) == (config.optim.lr, 0.005)
  assert config.data.num_frames == 8
  assert first.stages == ()


def test_without_stages_there_is_one_run():
  config = base.get_config()
  (only,) = stages(config)
  assert only.to_dict() == config.to_dict()


@pytest.mark.parametrize("changes", [{"data.frames": 16}, {"data.num_frames": "many"}])
def test_a_wrong_change_names_its_stage(changes):
  config = base.get_config()
  config.stages = ({}, changes)
  with pytest.raises(ValueError, match=r"stage 2: .*frames"):
    stages(config)
