"""Checks of a config against the labels of the videos."""

import types

import jax
import pytest

from temporal_jax import experiment
from temporal_jax.configs import atm, finetune, tada
from temporal_jax.experiment.duration import duration


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


def test_a_recipe_says_at_once_what_does_not_fit_own_videos():
  config = atm.get_config("vit_b16_ssv2")
  videos = types.SimpleNamespace(class_names=("a", "b"), multi_label=True)
  with pytest.raises(ValueError, match=r"^data\.num_classes is 174") as error:
    experiment.num_classes(config, videos)
  first, second, third = str(error.value).split("; ", 2)
  assert first.endswith("the videos have 2 classes: --config.data.num_classes=2")
  assert "do not have, ['Pulling something from left to right', " in second
  assert second.endswith('--config.data.flip_pairs="()", or pairs of theirs')
  assert "--config.loss.name=sigmoid" in third
  config.data.num_classes, config.data.flip_pairs = (2,), ()
  videos.multi_label = False
  assert experiment.num_classes(config, videos) == 2


def test_numbers_of_several_tasks_are_flags_in_their_order():
  config = tada.get_config("former_b16_ek100")
  names = {"verb": ("a", "b"), "noun": ("c", "d", "e")}
  videos = types.SimpleNamespace(class_names=names, multi_label=False)
  flags = "--config.data.num_classes=2 --config.data.num_classes=3"
  with pytest.raises(ValueError, match=rf"classes: {flags}\.$"):
    experiment.num_classes(config, videos)


def test_fewer_videos_than_a_batch_say_what_batch_would_do():
  config = atm.get_config("resnet18_ssv1")
  settings = experiment.RunSettings.from_config(config, jax.devices()[:1])
  words = r"milestones .* There are 10 training videos, .*: --config\.batch_size=2\.$"
  with pytest.raises(ValueError, match=words):
    experiment.assemble(settings, 174, num_videos=10)
  config.batch_size = 2
  experiment.schedule(config, duration(config, num_videos=10))
