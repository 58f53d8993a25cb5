import types

import numpy as np
import pytest

from temporal_jax import data
from temporal_jax.experiment.class_weights import class_weights, read_weights
from tests.support import tiny_config

COUNTS = (6, 3, 1)
NAMES = ("fall", "jump", "wave")


def _videos(names=NAMES):
  labels = [label for label, count in enumerate(COUNTS) for _ in range(count)]
  if isinstance(names, dict):
    labels = [(label, 0) for label in labels]
  files = [(f"{i}.mp4", label) for i, label in enumerate(labels)]
  source = data.FileSource(files, names)
  return types.SimpleNamespace(class_names=names, sources={"train": source})


def _weights(text, balance=0.0, names=NAMES, said=None):
  config = tiny_config.get_config()
  config.loss.class_weights = text
  config.data.balance = balance
  say = (said if said is not None else []).append
  return class_weights(config, _videos(names), say)


def test_balanced_weights():
  said = []
  got = _weights("balanced", said=said)
  np.testing.assert_allclose(got, [10 / 18, 10 / 9, 10 / 3])
  assert said == [
    "class weights: 0.56 (fall) to 3.33 (wave), on average of the clips 1."
  ]
  assert _weights("") is None


@pytest.mark.parametrize("balance", [0.5, 1.0])
@pytest.mark.parametrize("text", ["balanced", '{"wave": 4, "fall": 0.5}'])
def test_the_mean_over_the_drawn_clips_is_1(text, balance):
  got = _weights(text, balance)
  drawn = (1 - balance) * np.array(COUNTS) / 10 + balance / 3
  np.testing.assert_allclose(np.dot(got, drawn), 1)
  if text == "balanced" and balance == 1:
    np.testing.assert_allclose(got, 1)
  if text != "balanced":
    np.testing.assert_allclose([got[0] / got[1], got[2] / got[1]], [0.5, 4])


def test_classes_without_a_video_do_not_count():
  names = (*NAMES, "sleep")
  *known, last = _weights("balanced", names=names)
  np.testing.assert_allclose(known, _weights("balanced"))
  assert last == 1.0


def test_tasks_have_weights_each():
  names = {"verb": NAMES, "noun": ("egg", "ham")}
  got = _weights("balanced", names=names)
  np.testing.assert_allclose(got["verb"], _weights("balanced"))
  assert got["noun"] == (1.0, 1.0)
  got = _weights('{"verb": {"wave": 4}}', names=names)
  np.testing.assert_allclose(got["verb"], np.array([1, 1, 4]) / 1.3)
  with pytest.raises(ValueError, match="task 'verb' must be an object of its classes"):
    _weights('{"verb": 2}', names=names)
  with pytest.raises(ValueError, match=r"names 'adverb', .* 2 tasks .*did you mean"):
    _weights('{"adverb": {"wave": 4}}', names=names)


@pytest.mark.parametrize(
  ("text", "message"),
  [
    ("balance", "must be .*'balanced', or JSON .* got 'balance'"),
    ("{}", "must be"),
    ('{"wave": 0}', "of wave must be above 0, got 0"),
    ('{"wave": -1}', r"of wave must be a number in \[0, 1000000.0\], got -1"),
    ('{"wave": NaN}', "of wave must be a number"),
    ('{"wave": "x"}', "of wave must be a number"),
  ],
)
def test_other_texts_are_refused(text, message):
  with pytest.raises(ValueError, match=message):
    read_weights(text)


def test_unknown_names_are_refused_by_the_nearest():
  with pytest.raises(ValueError, match=r"'waves', .* 3 classes .* did you mean 'wave'"):
    _weights('{"waves": 2}')
