"""What the labels of the videos ask of a config."""

import types

import pytest

from temporal_jax import experiment
from temporal_jax.configs import finetune


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("loss", ["softmax", "sigmoid"])
def test_several_classes_a_video_name_loss_and_smoothing_at_once(loss, smoothing):
  config = finetune.get_config()
  config.loss.name, config.loss.label_smoothing = loss, smoothing
  videos = types.SimpleNamespace(class_names=("a", "b"), multi_label=True)
  if (loss, smoothing) == ("sigmoid", 0.0):
    assert experiment.num_classes(config, videos) == 2
    return
  with pytest.raises(
    ValueError,
    match=r"loss\.name=sigmoid and --config\.loss\.label_smoothing=0; got "
    rf"'{loss}' and {smoothing}",
  ):
    experiment.num_classes(config, videos)
