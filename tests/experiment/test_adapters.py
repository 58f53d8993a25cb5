"""Low-rank adapters of a network with a text tower."""

import jax
import numpy as np
import pytest

import temporal_jax
from temporal_jax import training
from temporal_jax.experiment import network
from tests.support import tiny_video_text


def _adapted(params, layers):
  """Parameters with factors that are no longer those of the start."""
  factors = training.init_factors(jax.random.key(0), params, rank=2, layers=layers)
  factors = jax.tree.map(lambda leaf: leaf + np.float32(0.3), factors)
  params = {**params, training.FACTORS: factors}
  trained = ("low_rank/.*",)
  return params, training.parameter_groups(params, weight_decay=0.0, trained=trained)


@pytest.mark.parametrize("tower", ["text", "visual"])
def test_texts_are_encoded_once_if_their_tower_has_no_adapters(tower, monkeypatch):
  texts = tiny_video_text.TEXTS
  monkeypatch.setattr(network, "tokenize", lambda names, context: texts)
  model = temporal_jax.create_model(
    "xclip_b32", num_classes=None, **tiny_video_text.SIZES
  )
  variables = training.init_variables(
    model, (1, 3, 16, 16, 3), jax.random.key(0), {"text": texts}
  )
  params, groups = _adapted(variables["params"], (f"{tower}/.*/mlp/.*/kernel",))
  inputs = network.other_inputs(
    model, ("a", "b", "c"), {**variables, "params": params}, groups
  )
  if tower == "text":
    np.testing.assert_array_equal(inputs["text"], texts)
    return
  want = jax.jit(lambda tree: model.apply(tree, texts, method="encode_text"))(variables)
  np.testing.assert_allclose(inputs["text"], want, rtol=1e-5)
