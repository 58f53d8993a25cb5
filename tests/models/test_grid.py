"""Every temporal operator in every backbone."""

import dataclasses
import functools
import pathlib

import flax.traverse_util as trees
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import models
from tests.support import tiny_networks

ROOT = pathlib.Path(__file__).parents[2]
_RESNETS = ("resnet_basic", "resnet_bottleneck")
_3D = ("resnet3d", "resnet3d_factorised", "slowfast")
_MAPS = (*_RESNETS, "convnext", *_3D)  # Whose convolutions are slots.
_TOKENS = ("transformer",)
_ALL = tuple(name for name in tiny_networks.NETWORKS if name != "video_text")


def _backbone(name):
  """The backbone's name in docs/operators.md for one of `tiny_networks`."""
  entry = models.MODELS[tiny_networks.NETWORKS[name][0]]
  return "R(2+1)D" if entry.kwargs.get("factorised") else entry.module.__name__


def _supported():
  """Operator: those of `tiny_networks` that have its slots, by the page."""
  page = (ROOT / "docs" / "operators.md").read_text()
  page = page.partition("<!-- table operators")[2].partition("<!-- end -->")[0]
  rows = [
    [cell.strip(" `") for cell in line.split("|")[1:-1]]
    for line in page.splitlines()
    if line.startswith("| ")
  ]
  _, _, *rows = rows
  return {
    operator: tuple(
      name for name in _ALL if backbones == ["all"] or _backbone(name) in backbones
    )
    for operator, backbones in ((row[0], row[-1].split(", ")) for row in rows)
  }


SUPPORTED = _supported()
CLIPS = np.concatenate([tiny_networks.clip(), tiny_networks.clip()[:, ::-1]])
PAIRS = [(operator, name) for operator in SUPPORTED for name in _ALL]
# These differ from others by a number, by the taps' place or by a part that
# they lack, and are built but not run.
TWINS = (
  "arithmetic_patch_tokens",
  "mixing_quarter",
  "causal_shift",
  "causal_aggregation",
  "causal_residual_shift",
)
# Left to make test-all: every operator runs somewhere without them, and every
# slot of every network is filled.
SLOW = {
  "shift": ("resnet_bottleneck", "big_little", "convnext", *_3D),
  "aggregation": ("slowfast",),
  "adaptive": ("slowfast",),
  "adaptive_convolution": (*_RESNETS, "convnext", *_3D[:2]),
  "adaptive_attention": (*_RESNETS, *_3D),
  "adaptive_depthwise": (*_RESNETS, *_3D),
  "arithmetic": ("resnet_bottleneck", "convnext"),
  "residual_shift": ("resnet_basic", "convnext"),
  "adaptive_branch": _TOKENS,
  "mixing_eight": _TOKENS,
  "alignment_dense": _TOKENS,
}
# Operator: where a network with it starts as the network without it. ATM
# starts as a ReLU, which changes nothing behind another. ConvNeXt's convolution
# has a bias, as that of TAdaConvV2 has; the others have none.
STARTS_PLAIN = {
  "adaptive": (*_RESNETS, *_3D),
  "adaptive_convolution": (*_RESNETS, *_3D),
  "adaptive_attention": ("convnext",),
  "adaptive_depthwise": ("convnext",),
  "adaptive_space_and_time": ("resnet3d_factorised",),
  "arithmetic": _RESNETS,
  "adapter": _TOKENS,
  "adapters": _TOKENS,
  "divided": _TOKENS,
  "aligned": _TOKENS,
  "adaptive_branch": _TOKENS,
  "adaptive_branches": _TOKENS,
  "alignment": _TOKENS,
  "alignment_dense": _TOKENS,
}
# To these the frames are a set; positions tell them apart.
UNORDERED = ("joint", "divided", "aligned", "messages")
_UNSEEN = 2e-5  # Share of the largest feature that rounding may change.
# These see the order of frames without an operator.
ORDERED = (*_3D, "big_little")
# Channels that the heads of a route function divide.
WIDTHS = {
  "adaptive_attention": 16,
  "adaptive_branch": 256,
  "adaptive_branches": 256,
}


def _pairs(table):
  """The pairs of a table, apart from those that are not run."""
  return [
    pytest.param(
      operator,
      name,
      marks=[pytest.mark.slow] if name in SLOW.get(operator, ()) else [],
    )
    for operator, names in table.items()
    for name in names
    if operator not in ("none", *TWINS)
  ]


def _build(operator, name):
  """A network wide enough for the operator, and the network without it."""
  width = WIDTHS.get(operator)
  kwargs = {}
  if width and name in _3D:
    width *= 1 + (name == "slowfast")  # The fast pathway has half of it.
    kwargs = {"widths": (width,), "stem_width": width}
  elif width:
    kwargs = {"widths": (width,)} if name == "convnext" else {"width": width}
  if operator in ("adapters", "adaptive_branches"):
    # Behind the last there is no attention.
    kwargs["depth"] = 2
  plain = tiny_networks.build(name, **kwargs)
  temporal = models.operators.resolve(operator, plain)
  # Some sit in a block that so small a network lacks.
  temporal = dataclasses.replace(temporal, where=lambda _, block: block == 0)
  return plain.clone(temporal=temporal), plain


def _leaves(model):
  return trees.flatten_dict(tiny_networks.shapes(model, CLIPS))


@functools.cache
def _plain_features(plain):
  """The paths of a plain network's variables, and its features."""
  leaves = _leaves(plain)
  apply = jax.jit(
    lambda variables: plain.apply(trees.unflatten_dict(variables), CLIPS)[1]["features"]
  )
  return set(leaves), np.asarray(apply(tiny_networks.draw(leaves)))


@functools.cache
def _compiled(operator, name):
  """A pair: its leaves' shapes, and its features and gradients as a function.

  Gradients are those of the operator's parameters, or of all biases.
  """
  model, plain = _build(operator, name)
  leaves, (paths, _) = _leaves(model), _plain_features(plain)
  learned = [path for path in leaves if path[0] == "params"]
  own = [path for path in learned if path not in paths]
  learned = own or [path for path in learned if path[-1] == "bias"]

  def loss(learned, leaves):
    variables = trees.unflatten_dict({**leaves, **learned})
    logits, aux = model.apply(variables, CLIPS)
    features = aux["features"]
    return jnp.sum(jnp.sin(logits)) + jnp.sum(jnp.square(features)), features

  step = jax.jit(jax.grad(loss, has_aux=True))

  def run(leaves):
    return step({path: leaves[path] for path in learned}, leaves)

  return leaves, run


def _initial(operator, name):
  """Leaves of the operator as initialised, those of the network drawn."""
  model, plain = _build(operator, name)
  leaves = _leaves(model)
  own = leaves.keys() - _plain_features(plain)[0]

  def init(key):
    leaves = trees.flatten_dict(model.init(key, CLIPS))
    return {path: leaves[path] for path in own}

  key = jax.random.key(0, impl="rbg")  # Compiles faster.
  return tiny_networks.draw(leaves) | (jax.jit(init)(key) if own else {})


def _differ(some, others):
  return np.abs(some - others).max() > _UNSEEN * np.abs(some).max()


def test_the_tables_name_every_operator():
  assert SUPPORTED.keys() == models.OPERATORS.keys()
  # Its blocks are a vision transformer's.
  assert models.VideoTextModel.SLOTS == models.VisionTransformer.SLOTS


@pytest.mark.parametrize(("operator", "name"), PAIRS)
def test_other_pairs_are_refused_with_what_there_is(operator, name):
  if name in SUPPORTED[operator]:
    if operator in TWINS and name in ("convnext", "transformer"):
      _leaves(_build(operator, name)[0])
  else:
    with pytest.raises(ValueError, match=r"has the temporal slots \[.*\], not"):
      tiny_networks.build(name, temporal=operator)


@pytest.mark.slow  # Seconds a network.
@pytest.mark.parametrize("name", _ALL)
def test_operators_fit_a_published_network(name):
  row, _ = tiny_networks.NETWORKS[name]
  for operator, names in SUPPORTED.items():
    if name in names:
      model = models.create_model(row, num_classes=3, temporal=operator)
      logits = jax.eval_shape(
        lambda clip, model=model: model.init_with_output(jax.random.key(0), clip)[0][0],
        tiny_networks.clip(frames=8, rows=224, columns=224),
      )
      assert logits.shape == (1, 3)


@pytest.mark.parametrize(("operator", "name"), _pairs(SUPPORTED))
def test_learns_and_tells_the_order_of_frames(operator, name):
  _, plain = _plain_features(_build(operator, name)[1])
  leaves, run = _compiled(operator, name)
  gradients, features = run(tiny_networks.draw(leaves))
  for path, gradient in gradients.items():
    assert np.isfinite(gradient).all(), path
    assert np.abs(gradient).max() > 0, path
  assert _differ(features, plain)
  assert _differ(*np.asarray(features)) == (operator not in UNORDERED)


@pytest.mark.parametrize(("operator", "name"), _pairs(STARTS_PLAIN))
def test_starts_as_the_plain_network(operator, name):
  _, plain = _plain_features(_build(operator, name)[1])
  _, run = _compiled(operator, name)
  _, features = run(_initial(operator, name))
  np.testing.assert_allclose(features, plain, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", _ALL)
def test_only_these_see_the_order_without_an_operator(name):
  _, features = _plain_features(_build("none", name)[1])
  assert _differ(*features) == (name in ORDERED)
