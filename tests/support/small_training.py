"""A small network, its optimizer, state and batches, for tests of training."""

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
_OF_CLIPS = ("mix", "freeze_batch_norm")
PIXELS = {"mean": (0.5,) * 3, "std": (0.25,) * 3}
_CLIP_SHAPE = (1, 2, 8, 8, 3)
_GROUPS = training.parameter_groups(
  training.variable_shapes(MODEL, _CLIP_SHAPE)["params"], weight_decay=0.01
)
OPTIMIZER = training.create_optimizer(
  "adamw", optax.constant_schedule(1e-2), _GROUPS, clip_norm=1.0
)


@functools.cache
def make_mesh(count: int) -> jax.sharding.Mesh:
  """A mesh of the first `count` devices, along the data."""
  return training.create_mesh({"data": count}, jax.devices()[:count])


@functools.cache
def _variables():
  return training.init_variables(MODEL, _CLIP_SHAPE, jax.random.key(0))


def make_state(mesh: jax.sharding.Mesh, optimizer=OPTIMIZER, ema=True):
  """The state before step 0."""
  variables = jax.tree.map(jnp.copy, _variables())  # A step takes it over.
  state = training.create_state(variables, optimizer, ema=ema)
  return jax.device_put(state, training.shard_state(state, mesh))


@functools.cache  # One compilation for all tests.
def make_step(
  mesh: jax.sharding.Mesh, optimizer=OPTIMIZER, label_smoothing=0.0, **kwargs
):
  """The training step."""
  own = {name: kwargs.pop(name) for name in _OF_CLIPS if name in kwargs}
  objective = training.ClipObjective(
    network=MODEL,
    loss=training.Loss(3, label_smoothing=label_smoothing),
    augment=data.Augmentation("", **PIXELS, image_size=8),
    **own,
  )
  spec = training.StepSpec(
    objective, optimizer, **{"seed": 0, "ema_decay": 0.9, **kwargs}
  )
  layout = training.shard_state(make_state(mesh, optimizer), mesh)
  return training.make_train_step(spec, mesh, layout)


def make_batch(seed: int = 0, size: int = 16) -> dict[str, np.ndarray]:
  """Clips of noise; class k is brighter by 60 k."""
  rng = np.random.default_rng(seed)
  label = np.arange(size, dtype=np.int32) % 3
  noise = rng.integers(0, 100, (size, 2, 8, 8, 3))
  clip = (noise + 60 * label[:, None, None, None, None]).astype(np.uint8)
  weight = np.ones(size, np.float32)
  return {"clip": clip, "label": label, "weight": weight}
