"""Marks arrays as varying over the same devices, for `jax.shard_map`."""

import jax


def vary_together(*arrays: jax.Array) -> tuple[jax.Array, ...]:
  """Returns arrays that all vary over the axes of the mesh any varies over.

  A gradient of our own, a loop or a choice of platform needs that: its results
  vary wherever one of the arrays does. The gradient of an array
  that is the same on all devices is summed over them here. Outside of
  `jax.shard_map` nothing happens.
  """
  varying = [jax.typeof(x).manual_axis_type.varying for x in arrays]
  axes = frozenset().union(*varying)
  return tuple(
    jax.lax.pcast(x, tuple(sorted(axes - own)), to="varying")
    for x, own in zip(arrays, varying, strict=True)
  )
