"""Low-rank adapters: their factors, the merged kernels, steps on them."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import training
from temporal_jax.training.low_rank import check_factors
from temporal_jax.training.parameter_names import named
from tests.support import sharded_step

LAYERS = ("block1/attention/(qkv|out)/kernel", "block1/mlp/(expand|contract)/kernel")
KERNELS = {
  "block1/attention/qkv/kernel": (96, 3, 4, 24),
  "block1/attention/out/kernel": (4, 24, 96),
  "block1/mlp/expand/kernel": (96, 384),
  "block1/mlp/contract/kernel": (384, 96),
}
SIDES = [(96, 288), (96, 96), (96, 384), (384, 96)]


def _zeros(shapes):
  return {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}


def _factors(params, rank=3, layers=LAYERS, seed=0):
  key = jax.random.key(seed)
  return training.init_factors(key, params, rank=rank, layers=layers)


def _vit():
  return jax.tree.map(jnp.asarray, sharded_step.make_variables("vit"))


def _adapted(variables, rank=3, layers=LAYERS):
  params = variables["params"]
  factors = _factors(params, rank, layers)
  return {**variables, "params": {**params, training.FACTORS: factors}}


def _moved(params):
  """Parameters whose factors are no longer those of the start."""
  rng = np.random.default_rng(7)
  return {
    **params,
    training.FACTORS: jax.tree.map(
      lambda leaf: jnp.asarray(rng.normal(0, 0.2, leaf.shape), leaf.dtype),
      params[training.FACTORS],
    ),
  }


def test_axes_are_divided_where_inputs_meet_outputs():
  params = _vit()["params"]
  assert {n: v.shape for n, v in named(params).items() if n in KERNELS} == KERNELS
  factors = named(_factors(params))
  for name, (inner, outer) in zip(KERNELS, SIDES, strict=True):
    assert factors[f"{name}/a"].shape == (inner, 3)
    assert factors[f"{name}/b"].shape == (3, outer)
  assert len(factors) == 2 * len(KERNELS)


@pytest.mark.parametrize(
  ("shape", "sides"),
  [
    ((3, 3, 16, 32), (144, 32)),  # A convolution of frames,
    ((3, 8, 8), (24, 8)),  # along time,
    ((4, 4, 3, 48), (48, 48)),  # of patches.
    ((16, 2, 8), (16, 16)),  # Queries of two heads.
  ],
)
def test_kernels_of_other_layers_are_divided_too(shape, sides):
  params = {"layer": {"kernel": np.zeros(shape, np.float32)}}
  factors = _factors(params, 2, (".*/kernel",))["layer"]["kernel"]
  assert (factors["a"].shape[0], factors["b"].shape[1]) == sides


def test_the_first_step_is_that_of_the_network():
  params = _adapted(_vit())["params"]
  merged = training.merge(params)
  jax.tree.map(np.testing.assert_array_equal, merged, training.without_factors(params))
  for factor in named(params[training.FACTORS]):
    values = named(params[training.FACTORS])[factor]
    assert np.any(values) == factor.endswith("/a")
  again = _factors(params)
  jax.tree.map(np.testing.assert_array_equal, again, params[training.FACTORS])
  other = named(_factors(params, seed=1))["block1/mlp/expand/kernel/a"]
  first = named(again)["block1/mlp/expand/kernel/a"]
  assert np.abs(other - first).max() > 0.01
  assert np.abs(first).max() <= 1 / np.sqrt(96)


def test_a_merged_kernel_adds_the_products_of_its_inputs():
  """By the definition: x W + (x a) b, in float64."""
  params = _moved(_adapted(_vit())["params"])
  merged = named(training.merge(params))
  plain, factors = named(params), named(params[training.FACTORS])
  rng = np.random.default_rng(0)
  for name, (inner, outer) in zip(KERNELS, SIDES, strict=True):
    x = rng.normal(size=(5, inner))
    kernel, a, b, got = (
      np.float64(values)
      for values in (
        plain[name],
        factors[f"{name}/a"],
        factors[f"{name}/b"],
        merged[name],
      )
    )
    want = x @ kernel.reshape(inner, outer) + (x @ a) @ b
    np.testing.assert_allclose(x @ got.reshape(inner, outer), want, atol=1e-4)
    assert np.abs(got - kernel).max() > 0.01
  untouched = plain.keys() - KERNELS.keys() - {n for n in plain if "low_rank" in n}
  assert all(merged[name] is plain[name] for name in untouched)
  assert merged.keys() == plain.keys() - {n for n in plain if "low_rank" in n}


def test_without_factors_nothing_is_merged():
  params = _vit()["params"]
  assert training.merge(params) is params


@functools.cache
def _spec():
  model, clip = sharded_step.CLIPS["vit"]
  params = _adapted(_vit())["params"]
  groups = training.parameter_groups(
    params, weight_decay=0.0, trained=("low_rank/.*", "head/.*")
  )
  optimizer = training.create_optimizer("sgd", lambda step: 0.3, groups)
  return model, clip, groups, optimizer


def _state(mesh):
  model, _, _, optimizer = _spec()
  state = training.create_state(_adapted(_vit()), optimizer, ema=True)
  rules = model.parameter_groups().tensor
  layout = training.shard_state(state, mesh, tensor_rules=rules)
  return jax.device_put(state, layout), layout


def _trained(axes, steps=2):
  """The state after some steps on a mesh, and the probabilities of a batch."""
  model, clip, groups, optimizer = _spec()
  mesh = sharded_step.make_mesh(**axes)
  state, layout = _state(mesh)
  objective = training.ClipObjective(
    network=model,
    loss=training.Loss(model.num_classes),
    augment=sharded_step.data.Augmentation(
      "", **sharded_step.PIXELS, image_size=clip[2]
    ),
  )
  spec = training.StepSpec(objective, optimizer, seed=0, groups=groups, ema_decay=0.5)
  step = training.make_train_step(spec, mesh, layout)
  for number in range(steps):
    batch = sharded_step.make_batch("vit", number)
    state = step(state, training.place_batch(batch, mesh))
  score = training.make_eval_step(
    model,
    lambda clip: sharded_step.data.normalize(clip, **sharded_step.PIXELS),
    training.Loss(model.num_classes).probabilities,
    mesh,
    {"params": layout.params, "batch_stats": layout.batch_stats},
  )
  placed = training.place_batch(sharded_step.make_batch("vit", 9), mesh)
  scores = score(state.eval_variables(), placed["clip"])
  return jax.device_get(state), np.asarray(scores)


@functools.cache
def _on_one():
  return _trained({"data": 1})


def test_only_factors_and_the_head_are_trained():
  state, _ = _on_one()
  start, after = named(_adapted(_vit())["params"]), named(state.params)
  moved = {n for n in start if not np.array_equal(start[n], after[n])}
  head = {"head/kernel", "head/bias"}
  assert moved == head | {n for n in start if n.startswith("low_rank/")}
  # Frozen kernels have no moments either.
  sizes = [x.size for x in jax.tree.leaves(state.opt_state)]
  trained = sum(after[name].size for name in moved)
  assert trained <= sum(sizes) <= trained + 10


def test_the_step_is_that_of_a_merged_network():
  """Factors have the gradient of a loss in which the kernels are merged."""
  model, clip, _, _ = _spec()
  params = _moved(_adapted(_vit())["params"])
  x = jnp.asarray(np.random.default_rng(1).normal(size=(2, *clip[1:])), jnp.float32)

  def logits(params):
    return jnp.sum(jnp.sin(model.apply({"params": params}, x)[0]))

  by_factors = named(jax.grad(lambda p: logits(training.merge(p)))(params))
  by_kernel = named(jax.grad(logits)(training.merge(params)))
  factors = named(params)
  for name, (inner, outer) in zip(KERNELS, SIDES, strict=True):
    kernel = by_kernel[name].reshape(inner, outer)
    a, b = (factors[f"low_rank/{name}/{which}"] for which in "ab")
    for which, want in (("a", kernel @ b.T), ("b", a.T @ kernel)):
      got = by_factors[f"low_rank/{name}/{which}"]
      np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("axes", [{"data": 2, "fsdp": 2, "tensor": 2}])
def test_a_mesh_computes_what_one_device_does(axes):
  (one, one_scores), (many, many_scores) = _on_one(), _trained(axes)
  np.testing.assert_allclose(many_scores, one_scores, rtol=1e-3, atol=1e-5)
  jax.tree.map(
    lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-3, atol=1e-5),
    (many.params, many.ema),
    (one.params, one.ema),
  )


def test_averages_are_evaluated_merged():
  model, _, _, _ = _spec()
  state, scores = _on_one()
  clip = sharded_step.make_batch("vit", 9)["clip"]
  x = sharded_step.data.normalize(jnp.asarray(clip), **sharded_step.PIXELS)
  apply, params = jax.jit(model.apply), state.ema["params"]
  errors = []
  for evaluated in (training.merge(params), training.without_factors(params)):
    logits, _ = apply({"params": evaluated}, x)
    errors.append(np.abs(np.log(scores) - jax.nn.log_softmax(logits)).max())
  assert errors[0] < 1e-3
  assert errors[1] > 0.03


def test_a_checkpoint_is_read_as_the_merged_network(tmp_path):
  state, _ = _on_one()
  checkpoints = training.Checkpoints(tmp_path / training.CHECKPOINTS)
  checkpoints.save(jax.tree.map(jnp.asarray, state), {})
  checkpoints.close()
  seen = []
  loaded = training.load_variables(tmp_path, seen.append)
  assert training.FACTORS not in loaded["params"]
  want = training.merge(state.ema["params"])
  jax.tree.map(
    functools.partial(np.testing.assert_allclose, rtol=1e-6, atol=1e-7),
    loaded["params"],
    want,
  )
  (shapes,) = seen  # Compared with the network before anything is read.
  assert jax.tree.map(np.shape, shapes["params"]) == jax.tree.map(np.shape, want)


def test_factors_have_the_layer_decay_of_their_kernel():
  params = {f"block{i}": {"kernel": np.zeros((4, 4))} for i in (1, 2)}
  params["head"] = {"kernel": np.zeros((4, 2))}
  params["stem"] = {"kernel": np.zeros((4, 4))}
  params[training.FACTORS] = _factors(params, 1, (".*/kernel",))
  groups = training.parameter_groups(
    params,
    weight_decay=0.0,
    layer_decay=0.5,
    layer_decay_first="stem/.*",
    layer_decay_except=("block2/kernel",),
    blocks=r"block(?P<number>\d+)/.*",
  )
  factors = {"stem": 0.125, "block1": 0.25, "block2": 1.0, "head": 1.0}
  for layer, want in factors.items():
    for name in (f"{layer}/kernel", f"low_rank/{layer}/kernel/b"):
      assert groups[name].lr_factor == want


PARAMS = {
  "mlp": {
    "kernel": np.zeros((6, 4), np.float32),
    "bias": np.zeros(4, np.float32),
  }
}


@pytest.mark.parametrize(
  ("rank", "layers", "message"),
  [
    (5, ("mlp/kernel",), r"adapters\.rank must be at most 4 for mlp/kernel \(6, 4\)"),
    (2, ("attention/.*",), r"adapters\.layers: 'attention/\.\*' must fit the whole"),
    (2, ("mlp/.*",), r"of two axes or more, got mlp/bias \(4,\)"),
    (2, ("(",), r"adapters\.layers: '\(' is no regex"),
  ],
)
def test_what_cannot_be_adapted_is_refused(rank, layers, message):
  with pytest.raises(ValueError, match=message):
    _factors(PARAMS, rank, layers)


def _factor_shapes(**shapes):
  return {
    **PARAMS,
    training.FACTORS: {"mlp": {"kernel": _zeros(shapes)}},
  }


@pytest.mark.parametrize(
  ("params", "message"),
  [
    (_factor_shapes(a=(6, 2)), r"low_rank/mlp/kernel must hold .* got \(6, 2\) and No"),
    (_factor_shapes(a=(6, 2), b=(3, 4)), "must hold a"),
    (_factor_shapes(a=(6, 2), b=(2, 40_000)), r"of I O values, .* \(2, 40000\)"),
    (_factor_shapes(a=(6, 2, 1), b=(2, 4)), "must hold a"),
    ({**_factor_shapes(a=(6, 2), b=(2, 4)), "mlp": {}}, "for the kernel None"),
    ({**PARAMS, "low_rank": np.zeros(3)}, "must hold the factors of kernels, got an"),
    ({**PARAMS, "low_rank": {"a": np.zeros(3)}}, "must hold a"),
  ],
)
def test_factors_of_a_strange_checkpoint_are_refused(params, message):
  with pytest.raises(ValueError, match=message):
    check_factors(params)


def test_good_factors_are_accepted():
  check_factors(PARAMS)
  check_factors(_factor_shapes(a=(6, 2), b=(2, 4)))
