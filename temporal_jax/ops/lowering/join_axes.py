"""Joining of axes, of empty arrays too."""

import math

import jax


def join_axes(x: jax.Array, start: int, stop: int | None = None) -> jax.Array:
  """Joins the axes `start` to `stop`, counted as in a slice, into one.

  The size of the new axis is computed from those it joins. `reshape` with -1
  divides by the sizes of the others, which fails for a batch of no clips.
  """
  start, stop, _ = slice(start, stop).indices(x.ndim)
  joined = math.prod(x.shape[start:stop])
  return x.reshape(*x.shape[:start], joined, *x.shape[stop:])
