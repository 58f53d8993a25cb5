"""A run's settings: which channels its frames have."""

import jax
import pytest

from temporal_jax.experiment import RunSettings
from tests.support import tiny_config


def _settings(**data):
  config = tiny_config.get_config()
  config.data.update(data)
  return RunSettings.from_config(config, jax.devices()[:1])


def test_frames_of_flow_have_two_channels_a_pair():
  assert _settings().clip_shape == (1, 3, 16, 16, 3)
  flow = _settings(flow=5)
  assert flow.clip_shape == (1, 3, 16, 16, 10)
  assert flow.pixels == {"mean": (0.5,), "std": (0.226,)}
  assert flow.augmentation(()).channels == 10
  own = _settings(flow=2, pixel_mean=(0.1, 0.2, 0.3, 0.4))
  assert own.pixels["mean"] == (0.1, 0.2, 0.3, 0.4)


@pytest.mark.parametrize(
  ("data", "message"),
  [
    ({"flow": 5, "pixel_mean": (0.5, 0.5, 0.5)}, "one number each, or 10, of"),
    ({"pixel_std": (0.5,)}, "three numbers each, of R, G and B"),
    ({"flow": 5, "augment": "color_jitter(0.3)"}, "10 channels are optical flow"),
    ({"flow": 33}, r"data.flow must be in \[0, 32\], got 33"),
  ],
)
def test_what_does_not_fit_flow_is_refused(data, message):
  with pytest.raises(ValueError, match=message):
    _settings(**data)
