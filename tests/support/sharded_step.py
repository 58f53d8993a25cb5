"""Training steps whose state is spread over a mesh."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax

import temporal_jax
from temporal_jax import data, training
from temporal_jax.training.parallel.layout import with_shardings
from temporal_jax.training.parallel.mesh import create_mesh
from temporal_jax.training.parallel.parameter_sharding import shard_state
from tests.support.small_training import PIXELS

# Adam would turn the rounding of a gradient that is zero (that of the keys'
# bias) into a whole step.
SGD = optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(0.1, momentum=0.9))
ADAMW = optax.adamw(1e-3, weight_decay=0.05)
VIT = temporal_jax.create_model(
  "vit_b16",
  num_classes=200,  # So that fsdp splits the head as well.
  num_frames=2,
  image_size=32,
  width=96,
  depth=1,
  num_heads=4,
  projection=None,
)
RESNET = temporal_jax.create_model(
  "resnet18", num_classes=3, temporal="none", width=8, stage_sizes=(1,), stem="3x3"
)
CLIPS = {"vit": (VIT, (16, 2, 32, 32, 3)), "resnet": (RESNET, (16, 1, 8, 8, 3))}


@functools.cache
def make_mesh(**axes: int) -> jax.sharding.Mesh:
  """A mesh of the first devices, as many as the axes need."""
  count = int(np.prod(list(axes.values())))
  return create_mesh(axes, jax.devices()[:count])


@functools.cache
def make_variables(name: str):
  """Variables of a small network, on the host."""
  model, clip = CLIPS[name]
  shapes = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros(clip))
  rng = np.random.default_rng(0)

  def fill(path, leaf):
    middle = 1.0 if path[-1].key in ("scale", "var") else 0.0
    return rng.normal(middle, 0.1, leaf.shape).astype(np.float32)

  filled = jax.tree_util.tree_map_with_path(fill, shapes)
  return {"batch_stats": {}, **filled}


def make_state(name: str, mesh, rules=(), optimizer=SGD, ema=True):
  """The state before step 0, spread over the mesh."""
  variables = jax.tree.map(jnp.asarray, make_variables(name))
  state = training.create_state(variables, optimizer, ema=ema)
  return jax.device_put(state, make_layout(name, state, mesh, rules))


def make_layout(name: str, state, mesh, rules=()):
  """Shardings of the arrays of a state of the network."""
  tensor_rules = CLIPS[name][0].parameter_groups().tensor
  return shard_state(state, mesh, rules, tensor_rules=tensor_rules)


def make_step(model, mesh, layout, size, optimizer=SGD):
  """The jitted step of a state laid out so."""
  objective = training.ClipObjective(
    network=model,
    loss=training.Loss(model.num_classes),
    augment=data.Augmentation("", **PIXELS, image_size=size),
  )
  spec = training.StepSpec(objective, optimizer, seed=0, ema_decay=0.9)
  return training.make_train_step(spec, mesh, layout)


def make_batch(name: str, seed: int) -> dict[str, np.ndarray]:
  """Clips of noise."""
  shape = CLIPS[name][1]
  rng = np.random.default_rng(seed)
  return {
    "clip": rng.integers(0, 256, shape).astype(np.uint8),
    "label": rng.integers(0, 3, shape[0]).astype(np.int32),
    "weight": np.ones(shape[0], np.float32),
  }


def batch_shapes(shape: tuple[int, ...], mesh) -> dict:
  """The batch of `make_batch`, without values."""
  shapes = {
    "clip": jax.ShapeDtypeStruct(shape, jnp.uint8),
    "label": jax.ShapeDtypeStruct(shape[:1], jnp.int32),
    "weight": jax.ShapeDtypeStruct(shape[:1], jnp.float32),
  }
  return with_shardings(shapes, training.over_batch(mesh))


@functools.cache  # Compiled once, and both run and read.
def compiled_step(name: str, mesh, rules=()):
  """The compiled step of a small network."""
  model, clip = CLIPS[name]
  state = make_state(name, mesh, rules)
  step = make_step(model, mesh, make_layout(name, state, mesh, rules), clip[2])
  return step.lower(state, batch_shapes(clip, mesh)).compile()
