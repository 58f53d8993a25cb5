"""Networks and their weights by shapes alone, and what becomes of them."""

import hashlib
import re

import flax.traverse_util as trees
import jax
import jax.numpy as jnp
import numpy as np

import temporal_jax
from convert_weights.apply import revert_rules
from convert_weights.formats import (
  atm,
  blvnet,
  convnext,
  dinov2,
  huggingface_convnext,
  huggingface_resnet,
  ila,
  mmaction2,
  pyslowfast,
  pytorchvideo,
  resnet,
  tada,
  timesformer,
  torchvision_video,
  tsm,
  xclip,
  xvit,
)
from convert_weights.planning.mapping import map_tensors

SOURCES = {
  source.name: source
  for module in (
    *(atm, blvnet, convnext, huggingface_convnext, huggingface_resnet),
    *(ila, resnet, tada, xclip, xvit),
    *(dinov2, timesformer),
    *(mmaction2, pyslowfast, pytorchvideo, torchvision_video, tsm),
  )
  for source in module.FORMATS
}


def build(row, **kwargs):
  """A row of the catalog."""
  return temporal_jax.create_model(row, **{"num_classes": 400, **kwargs})


def shapes(network, channels=3, frames=2):
  """The variables of a network; a small clip is traced fastest."""
  has_grid = hasattr(network, "grid")
  side = network.patch_size * network.grid if has_grid else 32
  clip = jax.ShapeDtypeStruct((1, frames, side, side, channels), jnp.float32)
  return jax.eval_shape(network.init, jax.random.key(0), clip)


def names(source, network, target=None):
  """The tensors of a network in a naming, with the counters of its norms."""
  zeros = jax.tree.map(
    lambda leaf: np.broadcast_to(np.float32(0), leaf.shape),
    target or shapes(network),
  )
  tensors = revert_rules(SOURCES[source].rules(network), zeros)
  norms = [name for name in tensors if name.endswith(".running_mean")]
  counter = jax.ShapeDtypeStruct((), np.int32)
  return tensors | {
    name.replace("running_mean", "num_batches_tracked"): counter for name in norms
  }


def planned(source, network, tensors, target=None):
  """Mapping of a network's leaves and of the tensors."""
  found = SOURCES[source]
  return map_tensors(
    found.rules(network),
    tensors,
    target or shapes(network),
    skip=found.skip,
    new=found.new,
  )


def converted(source, network, tensors, target, inflation="centre", new=None):
  """Variables made of tensors; leaves without any are those of `new`."""
  done = planned(source, network, tensors, target)
  assert done.problems == ()
  leaves = trees.flatten_dict(target, sep="/")
  made = {
    step.leaf: step.apply(tensors, leaves[step.leaf].shape, inflation)
    for step in done.steps
  }
  if done.new:
    initial = trees.flatten_dict(new, sep="/")
    made |= {name: initial[name] for name in done.new}
  return trees.unflatten_dict(made, sep="/")


def draw(tensors, seed=0):
  """Values for shapes; what must be positive is."""
  rng = np.random.default_rng(seed)
  return {
    name: np.abs(value) + 0.5 if name.endswith("running_var") else value
    for name, value in (
      (name, 0.2 * rng.standard_normal(t.shape).astype("f4"))
      for name, t in tensors.items()
    )
  }


def recognised(tensors):
  """The sources whose marks are all among the names."""
  return [
    name
    for name, source in SOURCES.items()
    if all(any(re.fullmatch(mark, n) for n in tensors) for mark in source.marks)
  ]


def digest(lines):
  """Digest that changes with any line."""
  return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]
