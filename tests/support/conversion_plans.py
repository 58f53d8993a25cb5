"""A naming's weights on their way into a network, without the readers."""

import re

import flax.traverse_util as trees
import jax
import jax.numpy as jnp
import numpy as np

import temporal_jax
from convert_weights.apply import revert_rules
from convert_weights.planning.mapping import map_tensors

# The smallest towers; the route function of TAdaFormer needs the width.
TINY = {"width": 256, "depth": 2, "num_heads": 4, "patch_size": 4, "grid": 4}
TINY_TEXT = {
  **{"text_width": 16, "text_depth": 2, "text_heads": 2, "vocabulary": 50},
  **{"context": 6, "projection": 64},
}


def target(network, frames=4):
  """The shapes of a network's variables."""
  side = network.patch_size * network.grid
  clip = jax.ShapeDtypeStruct((1, frames, side, side, 3), jnp.float32)
  return jax.eval_shape(network.init, jax.random.key(0), clip)


def build(row, num_classes=3, **kwargs):
  """A row of the catalog."""
  return temporal_jax.create_model(row, num_classes=num_classes, **kwargs)


def planned(source, network, tensors, shapes=None):
  """Mapping of all tensors and leaves."""
  return map_tensors(
    source.rules(network),
    tensors,
    shapes or target(network),
    skip=source.skip,
    new=source.new,
  )


def converted(source, network, tensors):
  """Variables of a network that takes all its weights from `tensors`."""
  shapes = target(network)
  done = planned(source, network, tensors, shapes)
  assert done.problems == ()
  leaves = trees.flatten_dict(shapes, sep="/")
  made = {s.leaf: s.apply(tensors, leaves[s.leaf].shape) for s in done.steps}
  made |= {name: np.zeros(leaves[name].shape, "f4") for name in done.new}
  return trees.unflatten_dict(made, sep="/")


def check_renamed(source, network, tensors, names, *, twice=True):
  """Each of `names`, renamed, is missing, and unknown if `twice`.

  Blocks are alike: names in the second are passed over.
  """
  shapes = target(network)
  for name in (n for n in names if not re.search(r"[._]1[./]", n)):
    renamed = {n: t for n, t in tensors.items() if n != name}
    renamed[f"{name}_"] = tensors[name]
    problems = planned(source, network, renamed, shapes).problems
    (lost,) = (line for line in problems if line[0] != "+")
    assert lost.startswith("- ")
    assert repr(name) in lost
    unknown = f"+ {name}_ {tensors[name].shape}: no leaf uses it"
    assert unknown in problems or not twice


def draw(shapes):
  """Values for shapes."""
  rng = np.random.default_rng(0)
  return {
    name: rng.standard_normal(shape, np.float32) for name, shape in shapes.items()
  }


def shake(module, spread=0.1):
  """Moves all parameters of a torch module, so that none is 0 or 1."""
  import torch

  torch.manual_seed(0)
  with torch.no_grad():
    for parameter in module.parameters():
      parameter.add_(spread * torch.randn_like(parameter))
  return module.eval()


def tensors_of(module):
  """The state dict of a torch module as NumPy arrays."""
  return {name: value.numpy() for name, value in module.state_dict().items()}


def distance(got, want):
  """The relative error of an array against torch's."""
  want = want.detach().numpy()
  assert got.shape == want.shape
  return np.linalg.norm(got - want) / np.linalg.norm(want)


def apply(network, variables, clips):
  """The network's answer, with all digits."""
  with jax.default_matmul_precision("highest"):
    return jax.jit(network.apply)(variables, clips)


def check_back(source, network, variables, tensors):
  """The variables make the tensors they were made of, and no others."""
  back = revert_rules(source.rules(network), variables)
  assert back.keys() == tensors.keys()
  for name, value in back.items():
    np.testing.assert_array_equal(value, tensors[name], err_msg=name)
