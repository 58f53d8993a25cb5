import jax
import numpy as np
import pytest
import torch

from temporal_jax import layers
from tests.support.examples import layer_example

LAYER_EXAMPLES = {
  "BatchNorm": layer_example(layers.BatchNorm),
}


def _start(x):
  layer = layers.BatchNorm()
  variables = layer.init(jax.random.key(0), x, train=True)
  rng = np.random.default_rng(0)
  params = {
    "scale": rng.uniform(0.5, 2, x.shape[-1]).astype(np.float32),
    "bias": rng.standard_normal(x.shape[-1]).astype(np.float32),
  }
  return layer, {"params": params, "batch_stats": variables["batch_stats"]}


def test_training_and_running_statistics_match_torch():
  rng = np.random.default_rng(1)
  batches = rng.normal(3, 2, (4, 2, 3, 2, 2, 5)).astype(np.float32)
  layer, variables = _start(batches[0])
  reference = torch.nn.BatchNorm3d(5)
  with torch.no_grad():
    reference.weight.copy_(torch.tensor(variables["params"]["scale"]))
    reference.bias.copy_(torch.tensor(variables["params"]["bias"]))

  for x in batches:
    got, updates = layer.apply(variables, x, train=True, mutable="batch_stats")
    variables = {**variables, **updates}
    want = reference(torch.tensor(x).permute(0, 4, 1, 2, 3))
    want = want.permute(0, 2, 3, 4, 1).detach()
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)

  stats = variables["batch_stats"]
  np.testing.assert_allclose(stats["mean"], reference.running_mean, rtol=1e-5)
  np.testing.assert_allclose(stats["var"], reference.running_var, rtol=1e-5)
  reference.eval()
  got = layer.apply(variables, batches[0])
  want = reference(torch.tensor(batches[0]).permute(0, 4, 1, 2, 3))
  want = want.permute(0, 2, 3, 4, 1).detach()
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def test_rejects_one_value_a_channel():
  with pytest.raises(ValueError, match="two values"):
    layers.BatchNorm().init(
      jax.random.key(0), np.zeros((1, 1, 1, 1, 3), np.float32), train=True
    )
