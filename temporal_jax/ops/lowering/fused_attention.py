"""Attention by the kernel of a platform, as a function that jax can transform.

A kernel has a first gradient only, knows nothing of `jax.vmap` and cannot be
divided among devices by the compiler. This module adds what is missing.
"""

import functools
import math
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import batching, mlir
from jax.sharding import AxisType, PartitionSpec

from temporal_jax.ops.lowering import tpu_attention
from temporal_jax.ops.lowering.batched_attention import flat_attention
from temporal_jax.ops.lowering.device_variance import vary_together
from temporal_jax.ops.lowering.join_axes import join_axes

_HEADS_AXIS = "tensor"  # The mesh's axis for heads; the others divide clips.

Attention = Callable[[jax.Array, jax.Array, jax.Array], jax.Array]


def differentiable_twice(fused: Attention, plain: Attention) -> Attention:
  """Returns `fused` with its own gradients, and those of `plain` after them.

  Args:
    fused: Attention that can be differentiated once, in reverse.
    plain: The same attention, which can be differentiated again and again.
  """
  # A pullback is its arrays and a program. Programs of two traces are never
  # equal, so that only arrays pass between functions that are traced again.
  program = None

  @jax.custom_vjp
  def attend(q, k, v):
    return fused(q, k, v)

  @jax.custom_vjp
  def linearize(q, k, v):
    nonlocal program
    out, pull = jax.vjp(fused, q, k, v)
    saved, program = jax.tree.flatten(pull)
    return out, saved

  @jax.custom_vjp
  def gradients(saved, q, k, v, gradient):
    return jax.tree.unflatten(program, saved)(gradient)

  def forward(*arrays):
    out, saved = linearize(*arrays)
    return out, (saved, *arrays)

  def linearize_backward(arrays, second):
    return jax.vjp(plain, *arrays)[1](second[0])

  def gradients_backward(arguments, second):
    def again(q, k, v, gradient):
      return jax.vjp(plain, q, k, v)[1](gradient)

    saved, *arrays = arguments
    no_gradient = jax.tree.map(jnp.zeros_like, saved)
    return no_gradient, *jax.vjp(again, *arrays)[1](second)

  attend.defvjp(forward, lambda saved, gradient: gradients(*saved, gradient))
  linearize.defvjp(lambda *x: (linearize(*x), x), linearize_backward)
  gradients.defvjp(lambda *x: (gradients(*x), x), gradients_backward)
  return attend


def fits_tpu_kernel(q: jax.Array, k: jax.Array, v: jax.Array) -> bool:
  """Whether the kernel for TPU computes this attention, without a mask.

  Its products are bfloat16, as the matrix units'.
  """
  kind = all(x.dtype == jnp.bfloat16 for x in (q, k, v))
  return kind and k.shape == v.shape and tpu_attention.plan_steps(q, k) is not None


def tpu_attention_once(
  q: jax.Array, k: jax.Array, v: jax.Array, *, scale: float
) -> jax.Array:
  """Returns softmax(q k^T scale) v by the kernel for TPU.

  On other platforms it is `flat_attention`. Devices divide the clips and heads
  under `jax.shard_map`, and where the mesh is known, see `jax.set_mesh`, whose
  axis "tensor" takes the heads. Otherwise the compiler divides XLA's attention.

  Args:
    q: Queries (B, N, M, d), bfloat16.
    k: Keys (B, N', M, d), like `q`.
    v: Values (B, N', M, d), like `q`.
    scale: Factor of the products.

  Returns:
    Tokens (B, N, M, d).
  """
  return _attend(scale, q, k, v)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _attend(scale: float, q: jax.Array, k: jax.Array, v: jax.Array) -> jax.Array:
  return _bind(_attend_p, q, k, v, scale=scale)


def _forward(
  scale: float, q: jax.Array, k: jax.Array, v: jax.Array
) -> tuple[jax.Array, tuple[jax.Array, ...]]:
  return _attend(scale, q, k, v), (q, k, v)


def _backward(
  scale: float, saved: tuple[jax.Array, ...], gradient: jax.Array
) -> tuple[jax.Array, ...]:
  return tuple(_bind(_gradients_p, *vary_together(*saved, gradient), scale=scale))


_attend.defvjp(_forward, _backward)


def _bind(primitive: Primitive, *arrays: jax.Array, scale: float):
  """Calls a primitive, on the devices of the mesh that is known."""
  call = functools.partial(primitive.bind, scale=scale)
  spec = _divide(arrays[0])
  if spec is None:
    return call(*arrays)
  return jax.shard_map(call, in_specs=(spec,) * len(arrays), out_specs=spec)(*arrays)


def _divide(x: jax.Array) -> PartitionSpec | None:
  """Returns the axes of the mesh that divide (B, N, M, d), None for no mesh.

  Clips that do not divide evenly are computed on every device.
  """
  mesh = jax.sharding.get_abstract_mesh()
  if mesh.empty or any(kind != AxisType.Auto for kind in mesh.axis_types):
    return None
  heads = _HEADS_AXIS if x.shape[2] % mesh.shape.get(_HEADS_AXIS, 1) == 0 else None
  clips = tuple(axis for axis in mesh.axis_names if axis != _HEADS_AXIS)
  if x.shape[0] % math.prod(mesh.shape[axis] for axis in clips):
    clips = None
  heads = heads if heads in mesh.axis_names else None
  return PartitionSpec(clips, None, heads, None)


def _flat_gradients(
  q: jax.Array, k: jax.Array, v: jax.Array, gradient: jax.Array, *, scale: float
) -> tuple[jax.Array, ...]:
  """Returns the gradients of `flat_attention`."""
  attend = functools.partial(flat_attention, scale=scale)
  return jax.vjp(attend, q, k, v)[1](gradient)


def _lower(
  kernel: Callable, flat: Callable, context: mlir.LoweringRuleContext, *values, scale
):
  """Lowers to the kernel, or XLA's attention where the compiler divides it."""
  queries, keys = context.avals_in[:2]
  plan = tpu_attention.plan_steps(queries, keys)
  axes = context.module_context.axis_context
  if isinstance(axes, mlir.ShardingContext):
    whole = axes.num_devices == 1
  else:
    whole = axes.manual_axes == set(axes.mesh.axis_names)
  function = functools.partial(flat, scale=scale)
  if plan is not None and whole:
    function = functools.partial(kernel, scale=scale, plan=plan)
  several = len(context.avals_out) > 1
  return mlir.lower_fun(function, multiple_results=several)(context, *values)


def _map_over_clips(
  primitive: Primitive,
  arrays: Sequence[jax.Array],
  axes: Sequence[int | None],
  *,
  scale: float,
):
  """Maps a primitive for `jax.vmap`: the axis becomes part of the clips'."""
  pairs = list(zip(arrays, axes, strict=True))
  size = next(x.shape[axis] for x, axis in pairs if axis is not None)
  clips = (
    jnp.broadcast_to(x, (size, *x.shape)) if axis is None else jnp.moveaxis(x, axis, 0)
    for x, axis in pairs
  )
  out = _bind(primitive, *(join_axes(x, 0, 2) for x in clips), scale=scale)
  # (size B, N, M, d) -> (size, B, N, M, d)
  split = jax.tree.map(lambda x: x.reshape(size, x.shape[0] // size, *x.shape[1:]), out)
  return split, jax.tree.map(lambda _: 0, split)


_attend_p = Primitive("tpu_attention")
_attend_p.def_abstract_eval(lambda q, k, v, *, scale: q)
_gradients_p = Primitive("tpu_attention_gradients")
_gradients_p.multiple_results = True
_gradients_p.def_abstract_eval(lambda q, k, v, gradient, *, scale: [q, k, v])
for _primitive, _kernel, _flat in (
  (_attend_p, tpu_attention.attend, flat_attention),
  (_gradients_p, tpu_attention.gradients, _flat_gradients),
):
  batching.primitive_batchers[_primitive] = functools.partial(
    _map_over_clips, _primitive
  )
  mlir.register_lowering(
    _primitive, functools.partial(_lower, _kernel, _flat), platform="tpu"
  )
  # Programs for several platforms contain it for each of them.
  mlir.register_lowering(
    _primitive, mlir.lower_fun(_flat, multiple_results=_primitive.multiple_results)
  )
