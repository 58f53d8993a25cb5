import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from temporal_jax.models.blocks.frame_integration import (
  DirectionClassifier,
  MultiframeIntegration,
)
from temporal_jax.models.blocks.transformer import TransformerBlock

KEY = jax.random.key(0, impl="rbg")  # Compiles faster.


def _features(seed=0, num_frames=4):
  rng = np.random.default_rng(seed)
  return rng.standard_normal((2, num_frames, 16), np.float32)


def _integration(**kwargs):
  return MultiframeIntegration(head_width=8, **kwargs)


@pytest.mark.parametrize(("num_layers", "num_frames"), [(1, 1), (2, 4)])
def test_is_the_mean_of_blocks_and_features(num_layers, num_frames):
  x = _features(num_frames=num_frames)
  model = _integration(num_layers=num_layers)
  got, variables = jax.jit(model.init_with_output)(KEY, x)
  params = variables["params"]
  y = x + params["position"][None]
  for i in range(num_layers):
    block = {"params": params[f"block{i + 1}"]}
    y, _ = TransformerBlock(2).apply(block, y)
  np.testing.assert_allclose(got, (x + y).mean(axis=1), rtol=1e-5, atol=1e-6)
  assert f"block{num_layers + 1}" not in params


def test_time_matters_through_the_positions_alone():
  x, model = _features(), _integration()
  variables = jax.jit(model.init)(KEY, x)
  without = jax.tree.map(lambda p: p, variables)
  without["params"]["position"] = jnp.zeros((4, 16))
  variables["params"]["position"] = 20 * variables["params"]["position"]
  apply = jax.jit(model.apply)
  backward = x[:, ::-1]
  np.testing.assert_allclose(
    apply(without, x), apply(without, backward), rtol=1e-4, atol=1e-5
  )
  changed = apply(variables, x) - apply(variables, backward)
  assert np.abs(changed).max() > 1e-3


def test_integration_in_bfloat16_is_close():
  x = _features()
  want, variables = _integration().init_with_output(KEY, x)
  got = _integration(dtype=jnp.bfloat16).apply(variables, x)
  assert got.dtype == jnp.bfloat16
  error = np.linalg.norm(got.astype(jnp.float32) - want)
  assert error < 3e-2 * np.linalg.norm(want)


def test_classifier_matches_torch_and_ignores_lengths():
  x = _features()[:, 0]
  model = DirectionClassifier(5)
  variables = model.init(KEY, x)
  params = jax.tree.map(
    lambda p: np.random.default_rng(p.size).standard_normal(p.shape, np.float32),
    variables["params"],
  )
  got = model.apply({"params": params}, x)
  direction = torch.nn.functional.normalize(torch.tensor(x), dim=-1)
  normed = torch.nn.functional.layer_norm(
    direction,
    (16,),
    *(torch.tensor(params["norm"][k]) for k in ("scale", "bias")),
  )
  want = normed @ torch.tensor(params["head"]["kernel"])
  want = want + torch.tensor(params["head"]["bias"])
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)
  longer = model.apply({"params": params}, 7 * x)
  np.testing.assert_allclose(longer, got, rtol=1e-4, atol=1e-5)


def test_classifier_drops_out_in_training():
  x, model = _features()[:, 0], DirectionClassifier(5)
  variables = model.init(KEY, x)
  logits = [
    model.apply(variables, x, train=True, rngs={"dropout": jax.random.key(i)})
    for i in range(2)
  ]
  assert not np.allclose(*logits)
  assert logits[0].dtype == jnp.float32


@pytest.mark.parametrize("shape", [(2, 4, 12), (4, 16)])
def test_rejects_wrong_features(shape):
  with pytest.raises(ValueError, match=r"x must be \(B, T, D\)"):
    _integration().init(KEY, np.zeros(shape, np.float32))
