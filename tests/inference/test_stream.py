import jax
import numpy as np
import pytest
import scipy.special

import temporal_jax
from temporal_jax import inference
from temporal_jax.data.views.eval_protocol import EvalProtocol
from tests.support import tiny_networks

SIDE, FRAMES = 16, 4
PIXELS = {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.25, 0.3]}


def _saved(temporal="causal_aggregation", num_classes=3, **description):
  """A network whose two blocks keep something, with weights that are drawn."""
  network = temporal_jax.create_model(
    "resnet18",
    num_classes=num_classes,
    width=8,
    stage_sizes=(2,),
    temporal=temporal,
  )
  clip = np.zeros((1, 2, SIDE, SIDE, 3), np.float32)
  leaves = tiny_networks.draw(tiny_networks.flat(tiny_networks.shapes(network, clip)))
  return inference.SavedModel(
    "resnet18",
    network,
    tiny_networks.nested(leaves),
    (4, SIDE, SIDE, 3),
    ("a", "b", "c"),
    PIXELS,
    EvalProtocol(num_frames=4, crop_size=SIDE, short_side=SIDE),
    description,
  )


@pytest.fixture(scope="module")
def saved():
  return _saved()


@pytest.fixture(scope="module")
def stream(saved):
  return inference.Stream(saved)


@pytest.fixture(scope="module")
def pictures():
  """Noise, one picture darker than the other."""
  rng = np.random.default_rng(1)
  noise = rng.integers(0, 256, (FRAMES, SIDE, SIDE, 3))
  return np.uint8(noise * np.array([0.2, 1, 0.5, 0])[:, None, None, None])


def _offline(saved, pictures):
  """Logits (T, L) of the frames of one clip."""
  clip = (pictures[None] / 255 - PIXELS["mean"]) / PIXELS["std"]
  _, aux = jax.jit(saved.network.apply)(saved.variables, np.float32(clip))
  return np.asarray(aux["frame_logits"][0])


def test_after_each_frame_it_says_what_the_clip_so_far_does(saved, stream, pictures):
  stream.reset()
  forward = jax.jit(inference.create_forward(saved))
  online = []
  for t, scores in enumerate(map(stream, pictures)):
    want = forward(saved.variables, pictures[None, : t + 1])[0]
    np.testing.assert_allclose(scores, want, rtol=1e-5, atol=1e-5)
    online.append(scores)
  assert np.abs(np.diff(online, axis=0)).max() > 0.01
  # Against the whole clip's frames as well: none of them saw a later one.
  logits = _offline(saved, pictures)
  want = scipy.special.softmax(
    np.cumsum(logits, 0) / np.arange(1, FRAMES + 1)[:, None], axis=1
  )
  np.testing.assert_allclose(online, want, rtol=1e-4, atol=1e-5)


def test_a_window_forgets_older_frames(saved, pictures):
  stream = inference.Stream(saved, window=2)
  logits = _offline(saved, pictures)
  for _ in range(2):
    for t, scores in enumerate(map(stream, pictures)):
      newest = logits[max(0, t - 1) : t + 1].mean(axis=0)
      want = scipy.special.softmax(newest)
      np.testing.assert_allclose(scores, want, rtol=1e-4, atol=1e-5)
    stream.reset()


def test_pictures_of_any_size_are_one_compilation(stream, pictures):
  stream.reset()
  first = stream(pictures[0])
  stream(np.zeros((2 * SIDE, 3 * SIDE, 3), np.uint8))
  stream(np.zeros((SIDE - 3, SIDE, 3), np.uint8))
  assert stream.compilations == 1
  stream.reset()
  np.testing.assert_array_equal(stream(pictures[0]), first)
  assert stream.compilations == 1


def test_it_tells_what_frames_took(stream, pictures):
  stream.reset()
  assert stream.latency.frames == 0
  for picture in pictures:
    stream(picture)
  frames, median, p95 = stream.latency
  assert frames == FRAMES == len(stream.milliseconds)
  assert 0 < median <= p95 <= max(stream.milliseconds)
  assert median == np.median(stream.milliseconds)


def test_several_tasks_of_several_labels(pictures):
  saved = _saved(
    temporal="causal_shift",
    num_classes={"verb": 2, "noun": 3},
    multi_label=True,
  )
  stream = inference.Stream(saved)
  for picture in pictures:
    scores = stream(picture)
  clip = (pictures[None] / 255 - PIXELS["mean"]) / PIXELS["std"]
  logits, _ = jax.jit(saved.network.apply)(saved.variables, np.float32(clip))
  assert {task: len(s) for task, s in scores.items()} == {"verb": 2, "noun": 3}
  for task, values in logits.items():
    want = scipy.special.expit(values[0])
    np.testing.assert_allclose(scores[task], want, rtol=1e-4, atol=1e-5)


def test_what_cannot_be_a_stream_is_refused(saved):
  for other, message in (
    (_saved("aggregation"), r"not causal; allowed are .*'causal_aggregation'"),
    (saved._replace(clip_shape=(4, SIDE, SIDE, 10)), "at 10 channels of optical flow"),
  ):
    with pytest.raises(ValueError, match=message):
      inference.Stream(other)
  with pytest.raises(ValueError, match="window must be at least 1 or None"):
    inference.Stream(saved, window=0)
