"""A small run to test training with."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax

import temporal_jax
from temporal_jax import data, training

MODEL = temporal_jax.create_model(
  "resnet18",
  num_classes=3,
  temporal="aggregation",
  width=4,
  stage_sizes=(1, 1),
  stem="3x3",
)
PIXELS = {"mean": (0.5,) * 3, "std": (0.25,) * 3}
OPTIMIZER = training.create_optimizer(
  "adamw", optax.constant_schedule(1e-2), weight_decay=0.01, clip_norm=1.0
)


@functools.cache
def make_mesh(count: int) -> jax.sharding.Mesh:
  """A mesh of the first `count` devices."""
  return jax.sharding.Mesh(np.array(jax.devices()[:count]), ("data",))


@functools.cache
def _variables():
  return training.init_variables(MODEL, (1, 2, 8, 8, 3), jax.random.key(0))


def make_state(mesh: jax.sharding.Mesh, optimizer=OPTIMIZER, ema=True):
  """The state before step 0."""
  variables = jax.tree.map(jnp.copy, _variables())  # A step takes it over.
  state = training.create_state(variables, optimizer, ema=ema)
  return jax.device_put(state, training.replicated(mesh))


@functools.cache  # One compilation for all tests.
def make_step(mesh: jax.sharding.Mesh, optimizer=OPTIMIZER, **kwargs):
  """The training step."""
  kwargs = {"seed": 0, "ema_decay": 0.9} | kwargs
  augment = data.Augmentation(**PIXELS)
  return training.make_train_step(MODEL, optimizer, augment, mesh, **kwargs)


def make_batch(seed: int = 0, size: int = 16) -> dict[str, np.ndarray]:
  """Clips of noise; class k is brighter by 60 k."""
  rng = np.random.default_rng(seed)
  label = np.arange(size, dtype=np.int32) % 3
  noise = rng.integers(0, 100, (size, 2, 8, 8, 3))
  clip = (noise + 60 * label[:, None, None, None, None]).astype(np.uint8)
  weight = np.ones(size, np.float32)
  return {"clip": clip, "label": label, "weight": weight}
