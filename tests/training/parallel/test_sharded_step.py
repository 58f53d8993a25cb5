"""Steps on eight devices, against the same steps on one."""

import functools

import jax
import numpy as np
import pytest

import temporal_jax
from temporal_jax import training
from temporal_jax.training.parallel.collectives import read_collectives
from temporal_jax.training.parallel.layout import with_shardings
from temporal_jax.training.parallel.parameter_sharding import shard_state
from tests.support.sharded_step import (
  ADAMW,
  CLIPS,
  batch_shapes,
  compiled_step,
  make_batch,
  make_mesh,
  make_state,
  make_step,
)

# None of the tiny convolutions is large enough to be split by size.
RESNET_RULES = ((r".*conv\d/.*kernel", (None, None, None, "fsdp")),)
MESHES = {
  "data": {"data": 8},
  "fsdp": {"fsdp": 8},
  "tensor": {"data": 2, "tensor": 4},
  "all": {"data": 2, "fsdp": 2, "tensor": 2},
}


def _run(name, mesh, rules=()):
  step, state = compiled_step(name, mesh, rules), make_state(name, mesh, rules)
  for seed in range(3):
    state = step(state, training.place_batch(make_batch(name, seed), mesh))
  return jax.device_get(state)


_on_one_device = functools.cache(lambda name: _run(name, make_mesh(data=1)))


@pytest.mark.parametrize(
  ("name", "axes", "rules"),
  [
    *(
      pytest.param("vit", axes, (), marks=[] if name == "all" else pytest.mark.slow)
      for name, axes in MESHES.items()
    ),
    ("resnet", {"data": 2, "fsdp": 4}, RESNET_RULES),
  ],
  ids=[*MESHES, "resnet"],
)
def test_many_devices_compute_what_one_does(name, axes, rules):
  want, got = _on_one_device(name), _run(name, make_mesh(**axes), rules)
  start = make_state(name, make_mesh(data=1)).params
  moved = jax.tree.map(lambda a, b: np.abs(a - b).max(), start, want.params)
  assert max(jax.tree.leaves(moved)) > 1e-2
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5),
    got,
    want,
  )


def _collectives(name, mesh):
  text = compiled_step(name, mesh).as_text()
  return {row.kind: row for row in read_collectives(text, mesh.size)}


def _bytes(tree, pick=lambda leaf: True):
  return sum(leaf.nbytes for leaf in jax.tree.leaves(tree) if pick(leaf))


def test_fsdp_gathers_parameters_and_not_activations():
  """And sums every gradient once."""
  mesh = make_mesh(fsdp=8)
  params = make_state("vit", mesh).params
  found = _collectives("vit", mesh)
  assert set(found) == {"all-gather", "all-reduce"}
  split = [
    leaf for leaf in jax.tree.leaves(params) if not leaf.sharding.is_fully_replicated
  ]
  assert found["all-gather"].count == len(split) >= 3
  assert found["all-gather"].size == _bytes(split)
  # The class token has the gradient of its position, which is summed once.
  extra = found["all-reduce"].size - _bytes(params) + params["class_token"].nbytes
  assert 0 < extra < 400  # Scalars: sums over clips and of squares.


def test_evaluation_gathers_parameters_and_not_activations():
  mesh = make_mesh(fsdp=8)
  state = make_state("vit", mesh)
  model, clip = CLIPS["vit"]
  variables = {"params": state.params, "batch_stats": state.batch_stats}
  step = training.make_eval_step(
    model,
    lambda clip: clip / 255.0,
    jax.nn.softmax,
    mesh,
    jax.tree.map(lambda leaf: leaf.sharding, variables),
  )
  views = {"clip": np.zeros((clip[0], 3, *clip[1:]), np.uint8)}
  views = training.place_batch(views, mesh)["clip"]
  text = step.lower(variables, views).compile().as_text()
  found = {row.kind: row for row in read_collectives(text, mesh.size)}
  split = [
    leaf
    for leaf in jax.tree.leaves(state.params)
    if not leaf.sharding.is_fully_replicated
  ]
  assert set(found) == {"all-gather"}
  scores = 4 * clip[0] * 3 * model.num_classes  # Bytes of 3 views, for all.
  assert found["all-gather"].size == _bytes(split) + scores


def test_tensor_sums_twice_a_block_and_direction():
  """Megatron's pattern; CPU's attention has gatherings of its own beside."""
  mesh = make_mesh(data=2, tensor=4)
  text = compiled_step("vit", mesh).as_text()
  sums = [
    row.size
    for row in read_collectives(text, mesh.size)
    if row.kind == "all-reduce" and row.devices == 4
  ]
  tokens = 8 * 2 * 5 * 96 * 4  # Clips of a device, frames, tokens, channels.
  assert sum(sums) // tokens == 4


def _check_data_parallel(depth):
  model = temporal_jax.create_model(
    "vit_b16", num_classes=400, num_frames=1, depth=depth
  )
  mesh, shape = make_mesh(data=8), (8, 1, 224, 224, 3)
  create = functools.partial(training.create_state, optimizer=ADAMW, ema=False)
  variables = jax.eval_shape(model.init, jax.random.key(0), np.zeros(shape))
  state = jax.eval_shape(create, {"batch_stats": {}, **variables})
  shardings = shard_state(state, mesh)
  step = make_step(model, mesh, shardings, 224, ADAMW)
  state = with_shardings(state, shardings)
  compiled = step.lower(state, batch_shapes(shape, mesh)).compile()
  (row,) = read_collectives(compiled.as_text(), mesh.size)
  # The class token has the gradient of its position, which is summed once.
  token = state.params["class_token"].size
  gradients = 4 * (sum(leaf.size for leaf in jax.tree.leaves(state.params)) - token)
  assert row.kind == "all-reduce"
  assert row.count <= 4
  assert 0 <= row.size - gradients < 400


def test_data_parallel_sums_gradients_in_one_pattern():
  _check_data_parallel(depth=2)


@pytest.mark.slow  # A whole ViT-B is compiled.
def test_whole_data_parallel_vit_sums_gradients_in_one_pattern():
  _check_data_parallel(depth=12)


@pytest.mark.slow
def test_saved_on_one_mesh_restored_on_others(tmp_path):
  def make(**axes):
    return make_state("vit", make_mesh(**axes), optimizer=ADAMW)

  state = jax.tree.map(lambda x: x + 1, make(fsdp=8))  # As no start is.
  checkpoints = training.Checkpoints(tmp_path)
  checkpoints.save(state, {})
  checkpoints.wait()
  for axes in (
    {"data": 8},
    {"data": 4, "fsdp": 2},
    {"fsdp": 2, "tensor": 2},
    {"data": 1},
  ):
    target = make(**axes)
    got = checkpoints.restore(target).state
    jax.tree.map(np.testing.assert_array_equal, got, state)
    same = jax.tree.map(lambda a, b: a.sharding == b.sharding, got, target)
    assert all(jax.tree.leaves(same))
  checkpoints.close()
