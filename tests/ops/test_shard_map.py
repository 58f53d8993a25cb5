"""Operators under `jax.shard_map` as it is by default, on eight devices."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import PartitionSpec as P

from tests.support.examples import draw_arrays, operator_examples

EVERY = operator_examples()
# Theirs is not a result for each clip: a mean over all, and a random draw.
_OVER_ALL = {"alignment_loss", "drop_path"}
# Every frame by itself: they may be cut into frames as well.
FRAMES = [
  name
  for name, example in EVERY.items()
  if example.laws and not (example.temporal or example.symmetric)
]


def _mesh(**axes):
  kinds = (jax.sharding.AxisType.Auto,) * len(axes)
  return jax.make_mesh(tuple(axes.values()), tuple(axes), axis_types=kinds)


def _loss(op):
  """Returns the sum of the squares of all results that have gradients."""

  def loss(*arrays):
    leaves = jax.tree.leaves(op(*arrays))
    floats = [x for x in leaves if jnp.issubdtype(x.dtype, jnp.floating)]
    return sum((jnp.sum(jnp.square(x)) for x in floats), jnp.zeros(()))

  return loss


def _assert_as_jit(example, mesh, spec, batch):
  clips, shared = draw_arrays(example, batch)
  arrays = (*clips, *shared)
  specs = (*[spec] * len(clips), *[P()] * len(shared))
  everything = tuple(range(len(arrays)))
  mapped = jax.shard_map(example.op, mesh=mesh, in_specs=specs, out_specs=spec)
  # Each device's share of the gradients; of what is shared, their sum.
  inside = jax.shard_map(
    jax.grad(_loss(example.op), everything),
    mesh=mesh,
    in_specs=specs,
    out_specs=specs,
  )
  got = (
    jax.jit(mapped)(*arrays),
    jax.jit(jax.grad(_loss(mapped), everything))(*arrays),
    jax.jit(inside)(*arrays),
  )
  gradient = jax.jit(jax.grad(_loss(example.op), everything))(*arrays)
  want = (jax.jit(example.op)(*arrays), gradient, gradient)
  leaves = zip(*map(jax.tree.leaves, (got, want)), strict=True)
  for found, wanted in leaves:
    assert found.dtype == wanted.dtype
    scale = np.max(np.abs(wanted), initial=1e-6)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-5 * scale)


@pytest.mark.parametrize("name", sorted(EVERY.keys() - _OVER_ALL))
def test_clips_on_eight_devices(name):
  _assert_as_jit(EVERY[name], _mesh(clips=8), P("clips"), 8)


@pytest.mark.slow  # Eight devices test the same already.
@pytest.mark.parametrize("name", FRAMES)
def test_frames_on_four_devices(name):
  mesh = _mesh(clips=2, frames=4)
  _assert_as_jit(EVERY[name], mesh, P("clips", "frames"), 2)


def test_losses_of_eight_devices_average_to_that_of_all():
  example = EVERY["alignment_loss"]
  (x, y), _ = draw_arrays(example, 8)

  def loss(x, y):
    return jax.lax.pmean(example.op(x, y), "clips")

  mapped = jax.shard_map(loss, mesh=_mesh(clips=8), in_specs=P("clips"), out_specs=P())
  got = jax.jit(jax.value_and_grad(mapped, (0, 1)))(x, y)
  want = jax.jit(jax.value_and_grad(example.op, (0, 1)))(x, y)
  for found, wanted in zip(*map(jax.tree.leaves, (got, want)), strict=True):
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)


def test_every_device_drops_paths_by_its_key():
  """With one key on all, all devices drop the same of their clips."""
  example = EVERY["drop_path"]
  (x,), _ = draw_arrays(example, 16)
  mapped = jax.shard_map(
    example.op, mesh=_mesh(clips=8), in_specs=P("clips"), out_specs=P("clips")
  )
  got = np.asarray(jax.jit(mapped)(x)).reshape(8, 2, *x.shape[1:])
  for device in range(8):
    np.testing.assert_allclose(got[device], example.op(x[2 * device :][:2]))
