import jax
import numpy as np
import pytest

import temporal_jax
from temporal_jax import inference
from tests.support import saved_video_text as small

SEVERAL = ("{}", "a video of {}.", "somebody is {}")


@pytest.fixture(scope="module")
def saved():
  return small.make_saved()


@pytest.fixture(scope="module")
def clips():
  return small.make_clips(3)


@pytest.fixture(scope="module")
def zero_shot(saved):
  return inference.ZeroShot(saved, small.NAMES, batch_size=2)


def test_own_class_names_give_what_the_network_gives(zero_shot, clips):
  zero_shot.set_labels(small.NAMES)
  got = zero_shot(clips)
  logits, _ = small.apply(clips, small.encode_texts(small.NAMES))
  want = small.softmax(logits)
  assert want.std(axis=1).min() > 0.05  # The labels are told apart.
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def test_other_labels_of_the_same_number_are_not_compiled_anew(zero_shot, clips):
  zero_shot.set_labels(small.NAMES)
  first, compiled = zero_shot(clips), zero_shot.compilations
  labels = ("a dog runs", "falling", "somebody opens a very old door")
  zero_shot.set_labels(labels)
  assert zero_shot.labels == labels
  got = zero_shot(clips)
  assert zero_shot.compilations == compiled
  logits, _ = small.apply(clips, small.encode_texts(labels))
  np.testing.assert_allclose(got, small.softmax(logits), rtol=1e-4, atol=1e-5)
  assert np.abs(got - first).max() > 0.05
  with pytest.raises(ValueError, match="same text"):
    zero_shot.set_labels(["falling", "falling"])
  assert zero_shot.labels == labels
  zero_shot.set_labels(["falling", "waving"])
  assert zero_shot(clips).shape == (3, 2)
  assert zero_shot.compilations == compiled + 1


def test_templates_are_averaged_as_clip_does(saved, clips):
  """Without what the clip adds to the texts, only their directions count."""
  params = dict(saved.variables["params"])
  prompt = dict(params["prompt"])
  prompt["scale"] = jax.tree.map(np.zeros_like, prompt["scale"])
  variables = {**saved.variables, "params": {**params, "prompt": prompt}}
  plain = saved._replace(variables=variables)
  got = inference.ZeroShot(plain, small.NAMES, templates=SEVERAL, batch_size=2)(clips)
  texts = np.zeros((3, 64))
  for template in SEVERAL:
    features = small.encode_texts([template.format(n) for n in small.NAMES])
    texts += features / np.linalg.norm(features, axis=1, keepdims=True)
  texts /= np.linalg.norm(texts, axis=1, keepdims=True)
  _, aux = small.apply(clips, np.ones((3, 64), np.float32))
  video = np.asarray(aux["features"], np.float64)
  video /= np.linalg.norm(video, axis=1, keepdims=True)
  logits = np.exp(params["log_scale"]) * video @ texts.T
  np.testing.assert_allclose(got, small.softmax(logits), rtol=1e-4, atol=1e-5)


def test_features_of_several_templates_keep_their_length(saved):
  features = inference.TextEncoder(saved)(small.NAMES, SEVERAL)
  lengths = [
    np.linalg.norm(small.encode_texts([template.format(n)]))
    for n in small.NAMES
    for template in SEVERAL
  ]
  np.testing.assert_allclose(
    np.linalg.norm(features, axis=1),
    np.reshape(lengths, (3, 3)).mean(axis=1),
    rtol=1e-5,
  )


def test_any_reader_of_networks_takes_one_with_labels(saved, zero_shot, clips):
  labels = ("a dog runs", "a cat sleeps", "falling")
  relabelled = inference.with_labels(saved, labels)
  assert relabelled.class_names == labels
  forward = jax.jit(inference.create_forward(saved))
  for network in (saved, relabelled):
    got = forward(inference.prepare_variables(network), clips)
    zero_shot.set_labels(network.class_names)
    np.testing.assert_allclose(got, zero_shot(clips), rtol=1e-5, atol=1e-6)


def test_a_temperature_of_other_classes_is_left_out_with_a_warning(saved, caplog):
  own = saved._replace(description={**saved.description, "temperature": 1.5})
  assert "temperature" not in inference.with_labels(own, small.NAMES).description
  assert "the temperature 1.5 of xclip_b32 is left out" in caplog.text


def test_networks_without_texts_are_refused(saved):
  network = temporal_jax.create_model("resnet18", num_classes=2)
  other = saved._replace(name="resnet18", network=network)
  with pytest.raises(ValueError, match=r"resnet18 reads no texts .*ila_vit_b16, "):
    inference.with_labels(other, small.NAMES)
  linear = saved._replace(network=saved.network.clone(head="linear"))
  with pytest.raises(ValueError, match="xclip_b32 reads no texts as it is"):
    inference.VideoEncoder(linear)


def test_a_text_that_is_too_long_is_named(saved):
  long = "riding " * 30
  with pytest.raises(ValueError, match="1 to 18 tokens, 'a video of a person"):
    inference.ZeroShot(saved, ["falling", long], templates=["a video of a person {}."])
