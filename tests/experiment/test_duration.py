"""Steps from epochs."""

import numpy as np
import pytest

from temporal_jax.configs import base
from temporal_jax.experiment.duration import Duration, duration
from temporal_jax.experiment.optimizer import schedule


def _config(**optim):
  config = base.get_config()
  config.batch_size = 64
  config.optim.update(optim)
  return config


def test_epochs_become_steps():
  config = _config(warmup_epochs=2.5)
  config.num_steps, config.num_epochs = 0, 20
  got = duration(config, num_videos=1000)
  assert got == Duration(round(20_000 / 64), 2500 / 64, 1000 / 64)


@pytest.mark.parametrize(("steps", "epochs"), [(0, 0.0), (10, 1.0)])
def test_one_of_steps_and_epochs(steps, epochs):
  config = _config()
  config.num_steps, config.num_epochs = steps, epochs
  with pytest.raises(ValueError, match="num_steps or num_epochs"):
    duration(config, 1000)


@pytest.mark.parametrize(
  ("optim", "message"),
  [
    ({"warmup_steps": 10}, r"--config.optim.warmup_steps\."),
    ({"warmup_epochs": 1.0}, r"warmup_epochs 1.0, has 15.625 steps, the run only 10"),
  ],
)
def test_a_warmup_as_long_as_the_run_is_refused(optim, message):
  config = _config(**({"warmup_steps": 0, "warmup_epochs": 0.0} | optim))
  config.num_steps, config.num_epochs = 10, 0.0
  with pytest.raises(ValueError, match=message):
    duration(config, 1000)


def test_the_rate_is_scaled_to_the_batch():
  """All of it, except for the end where a group of parameters has a factor."""
  config = _config(lr=7e-4, lr_batch_size=256, end_lr=1e-6, warmup_steps=10)
  length = Duration(100, 10, 5.0)
  rate = schedule(config, length)
  np.testing.assert_allclose(rate(10), 7e-4 / 4, rtol=1e-6)
  np.testing.assert_allclose(rate(100), 1e-6 / 4, rtol=1e-5)
  tenfold = schedule(config, length, factor=10.0)
  np.testing.assert_allclose(tenfold(10), 7e-3 / 4, rtol=1e-6)
  np.testing.assert_allclose(tenfold(100), 1e-6 / 4, rtol=1e-5)


def test_milestones_are_epochs():
  config = _config(lr=1.0, schedule="multistep", milestones=(2, 4))
  rate = schedule(config, Duration(60, 0, 10.0))
  got = [float(rate(step)) for step in (19, 21, 39, 41)]
  np.testing.assert_allclose(got, [1.0, 0.1, 0.1, 0.01], rtol=1e-6)
