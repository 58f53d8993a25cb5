import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import temporal_jax
from temporal_jax import training
from temporal_jax.models import find_model
from temporal_jax.models.backbones.video_text import VideoTextModel
from temporal_jax.training.parallel.parameter_sharding import (
  shard_parameters,
  shard_state,
)
from tests.support.sharded_step import ADAMW, VIT, make_mesh, make_state
from tests.support.tiny_video_text import SIZES, TEXTS, make_clip


def _network(name):
  return temporal_jax.create_model(name, num_classes=400)


@functools.cache
def _shapes(name):
  frames, *size = find_model(name).clip_shape
  model = _network(name)
  clip = jax.ShapeDtypeStruct((1, frames, *size, 3), jnp.float32)
  variables = jax.eval_shape(model.init, jax.random.key(0), clip)
  return {"batch_stats": {}, **variables}


def _specs(name, rules=(), **axes):
  params = shard_parameters(
    _shapes(name)["params"],
    make_mesh(**axes),
    rules,
    tensor_rules=_network(name).parameter_groups().tensor,
  )
  flat = jax.tree_util.tree_leaves_with_path(params)
  return {
    jax.tree_util.keystr(path, simple=True, separator="/"): tuple(leaf.spec)
    for path, leaf in flat
  }


def _bytes(tree, shardings):
  """Bytes of the largest share, and of the whole."""
  share = whole = 0
  for leaf, sharding in zip(
    jax.tree.leaves(tree), jax.tree.leaves(shardings), strict=True
  ):
    share += np.prod(sharding.shard_shape(leaf.shape)) * leaf.dtype.itemsize
    whole += np.prod(leaf.shape) * leaf.dtype.itemsize
  return share, whole


# Tracing what is marked takes many seconds.
@pytest.mark.parametrize(
  "name",
  [
    "vit_b16",
    "resnet50",
    pytest.param("ila_vit_b16", marks=pytest.mark.slow),
    pytest.param("tadaformer_b16", marks=pytest.mark.slow),
  ],
)
def test_eight_devices_hold_an_eighth_of_the_optimizer(name):
  state = jax.eval_shape(
    functools.partial(training.create_state, optimizer=ADAMW, ema=True),
    _shapes(name),
  )
  shardings = shard_state(state, make_mesh(fsdp=8))
  for part in ("opt_state", "params"):
    share, whole = _bytes(getattr(state, part), getattr(shardings, part))
    assert whole / 8 <= share <= 1.05 * whole / 8
  assert shardings.ema["params"] == shardings.params
  for leaf in jax.tree.leaves(shardings.ema["batch_stats"]):
    assert leaf.is_fully_replicated


def test_optimizer_on_a_device_takes_an_eighth():
  """Measured on the arrays themselves."""
  for leaf in jax.tree.leaves(
    make_state("vit", make_mesh(fsdp=8), optimizer=ADAMW).opt_state
  ):
    parts = {shard.data.nbytes for shard in leaf.addressable_shards}
    assert len(leaf.addressable_shards) == 8
    expected = leaf.nbytes / 8 if leaf.size >= 2**14 else leaf.nbytes
    assert parts == {expected}


def test_heads_and_hidden_units_are_split_over_tensor():
  specs = _specs("vit_b16", fsdp=2, tensor=4)
  block = {
    name.removeprefix("block7/"): spec
    for name, spec in specs.items()
    if name.startswith("block7/") and any(spec)
  }
  assert block == {
    "attention/qkv/kernel": ("fsdp", None, "tensor", None),
    "attention/qkv/bias": (None, "tensor", None),
    "attention/out/kernel": ("tensor", "fsdp", None),
    "mlp/expand/kernel": ("fsdp", "tensor"),
    "mlp/expand/bias": ("tensor",),
    "mlp/contract/kernel": ("tensor", "fsdp"),
  }


def test_gated_transformers_are_split_too():
  gated = _specs("eva_b16", tensor=4, data=2)
  assert gated["block3/mlp/gate/kernel"] == (None, "tensor")
  assert gated["block3/mlp/norm/scale"] == ("tensor",)
  assert gated["block3/attention/query_value_bias"] == (None, "tensor", None)


def test_text_towers_are_split_too():
  model = VideoTextModel(**SIZES | {"num_heads": 2, "projection": 128})
  key, clip = jax.random.key(0), make_clip()
  params = jax.eval_shape(model.init, key, clip, TEXTS)["params"]
  rules = model.parameter_groups().tensor
  params = shard_parameters(params, make_mesh(tensor=2), tensor_rules=rules)
  for part in ("text", "visual"):
    kernel = params[part]["block1"]["attention"]["out"]["kernel"]
    assert tuple(kernel.spec) == ("tensor", None, None)
  kernel = params["prompt"]["layer1"]["attention"]["query"]["kernel"]
  assert tuple(kernel.spec) == (None, "tensor", None)


def test_first_rule_that_fits_counts():
  rules = (
    (r"block1/.*/kernel", ()),
    (r"block\d+/mlp/expand/kernel", (None, ("fsdp", "tensor"))),
  )
  specs = _specs("vit_b16", rules, fsdp=2, tensor=4)
  assert specs["block1/mlp/expand/kernel"] == ()
  assert specs["block2/mlp/expand/kernel"] == (None, ("fsdp", "tensor"))
  assert specs["block2/mlp/contract/kernel"] == ("fsdp", None)


@pytest.mark.parametrize(
  ("name", "rules", "axes", "message"),
  [
    (
      "vit_b16",
      [("blok1/mlp/.*", ())],
      {},
      r"'blok1/mlp/.\*' fits no .*block1",
    ),
    ("vit_b16", [("head/.*", ("model",))], {}, r"got \['model'\]"),
    ("vit_b16", [("head/.*", ("data",))], {}, r"got \['data'\]"),
    ("vit_b16", [("norm/bias", (None, "fsdp"))], {}, "norm/bias .*dimensions"),
    (
      "vit_b16",
      [("head/kernel", ("fsdp", "fsdp"))],
      {},
      "'head/kernel' uses an axis twice",
    ),
    (
      "vit_b16",
      [("position_embedding", ("fsdp",))],
      {},
      r"position_embedding \(197, 768\): fsdp of size 8 does not divide 197",
    ),
    (
      "vit_b16",
      (),
      {"tensor": 8},
      r"attention/out/kernel \(12, 64, 768\): tensor of size 8 .* 12",
    ),
    ("resnet50", (), {"data": 4, "tensor": 2}, "no parameter is split over"),
  ],
)
def test_rules_that_do_not_fit_are_refused(name, rules, axes, message):
  with pytest.raises(ValueError, match=message):
    _specs(name, rules, **(axes or {"fsdp": 8}))


@pytest.mark.parametrize(
  "optimizer",
  [
    ADAMW,
    optax.MultiSteps(optax.sgd(0.1, momentum=0.9), 2),
    optax.partition(
      {"head": optax.adam(1e-3), "rest": optax.sgd(0.1, momentum=0.9)},
      lambda params: {k: "head" if k == "head" else "rest" for k in params},
    ),
  ],
  ids=["masked", "accumulated", "partitioned"],
)
def test_optimizer_follows_the_parameters(optimizer):
  mesh = make_mesh(fsdp=2, tensor=4)
  clip = jax.ShapeDtypeStruct((1, 2, 32, 32, 3), jnp.float32)
  params = jax.eval_shape(VIT.init, jax.random.key(0), clip)["params"]
  state = jax.eval_shape(
    functools.partial(training.create_state, optimizer=optimizer, ema=False),
    {"params": params, "batch_stats": {}},
  )
  shardings = shard_state(state, mesh, tensor_rules=VIT.parameter_groups().tensor)
  seen = 0
  for path, leaf in jax.tree_util.tree_leaves_with_path(shardings.opt_state):
    keys = [key.key for key in path if isinstance(key, jax.tree_util.DictKey)]
    keys = [key for key in keys if key not in ("head", "rest")] or keys
    if "block1" in keys:
      followed = shardings.params
      for key in keys:
        followed = followed[key]
      assert leaf == followed
      seen += any(leaf.spec)
    elif not keys or not isinstance(path[-1], jax.tree_util.DictKey):
      assert leaf.is_fully_replicated
  assert seen
  assert shardings.step.is_fully_replicated
