"""BatchNorm that does not follow the batch."""

import jax
import jax.numpy as jnp
import numpy as np

import temporal_jax
from temporal_jax import training
from temporal_jax.training.frozen_batch_norm import frozen_batch_norm


def test_frozen_batch_norm_computes_as_in_evaluation():
  model = temporal_jax.create_model(
    "resnet18", num_classes=3, width=4, stage_sizes=(1,), stem="3x3"
  )
  clip = jax.random.normal(jax.random.key(0), (2, 2, 8, 8, 3))
  variables = training.init_variables(model, clip.shape, jax.random.key(1))

  def apply():
    return model.apply(variables, clip, train=True, mutable=["batch_stats"])

  evaluated, _ = model.apply(variables, clip, train=False)
  (trained, _), moved = apply()
  with frozen_batch_norm():
    (frozen, _), kept = apply()
  np.testing.assert_array_equal(frozen, evaluated)
  assert jnp.abs(trained - evaluated).max() > 1e-3
  stats = variables["batch_stats"]
  jax.tree.map(np.testing.assert_array_equal, kept["batch_stats"], stats)
  assert not np.array_equal(
    jax.tree.leaves(moved["batch_stats"])[0], jax.tree.leaves(stats)[0]
  )
