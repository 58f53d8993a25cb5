"""Softmax attention, lowered the way that is fastest on each platform."""

import functools
import os
from collections.abc import Callable

import jax
import jax.numpy as jnp

from temporal_jax.ops import shape_checks
from temporal_jax.ops.lowering.batched_attention import flat_attention
from temporal_jax.ops.lowering.cudnn_attention import cudnn_attention, fits_cudnn
from temporal_jax.ops.lowering.device_variance import vary_together
from temporal_jax.ops.lowering.fused_attention import (
  differentiable_twice,
  fits_tpu_kernel,
  tpu_attention_once,
)
from temporal_jax.ops.lowering.join_axes import join_axes
from temporal_jax.ops.lowering.small_attention import few_attention, summed_attention
from temporal_jax.ops.lowering.trace_once import trace_once
from temporal_jax.validation import check_choice

_FEW = 16  # Tokens up to which values are not arranged as matrices.
# Environment variable for machines where a kernel fails or is slow: "xla"
# leaves all attention to XLA.
LOWERING = "TEMPORAL_JAX_ATTENTION"
_LOWERINGS = ("kernel", "xla")


def attention(
  q: jax.Array,
  k: jax.Array,
  v: jax.Array,
  *,
  scale: float | None = None,
  mask: jax.Array | None = None,
) -> jax.Array:
  """Returns softmax(q k^T scale) v for every head.

  On CPU by `few_attention` or `flat_attention`, on TPU over few tokens by
  `summed_attention`, elsewhere by jax.nn's. Without a mask, bfloat16 is taken
  by a kernel that never writes the scores: on TPU `lowering.tpu_attention`, if
  heads fill tiles of 128 channels (their width divides 128 or is a multiple),
  on CUDA cuDNN's, also for float16, from compute capability 8 on; the
  environment variable TEMPORAL_JAX_ATTENTION=xla turns these kernels off. The
  softmax is taken in float32 at least.

  Args:
    q: Queries (..., N, M, d), floating point: N tokens, M heads of d channels.
    k: Keys (..., N', M, d).
    v: Values (..., N', M, d').
    scale: Factor of the products, 1 / sqrt(d) by default.
    mask: True where a query may look, broadcast to (..., M, N, N'). A query
      that may look nowhere gets the mean of all values.

  Returns:
    Tokens (..., N, M, d') in the dtype of `q`.

  Raises:
    ValueError: If the shapes do not fit, an array of tokens is not floating
      point, or TEMPORAL_JAX_ATTENTION is neither "kernel", the default, nor
      "xla".

  Source: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, equation 1.
  """
  same = q.shape[:-3] == k.shape[:-3] == v.shape[:-3]
  if (
    q.ndim < 3
    or not same
    or q.shape[-2:] != k.shape[-2:]
    or k.shape[-3:-1] != v.shape[-3:-1]
  ):
    raise ValueError(
      f"q must be (..., N, M, d), k (..., N', M, d) and v (..., N', M, d'), "
      f"got shapes {q.shape}, {k.shape} and {v.shape}."
    )
  for name, tokens in (("q", q), ("k", k), ("v", v)):
    shape_checks.floating(tokens, name)
  if not k.shape[-3]:
    raise ValueError(f"k must have at least one token, got shape {k.shape}.")
  scale = q.shape[-1] ** -0.5 if scale is None else scale
  # A number is part of the program, an array is not.
  attend = _attend if isinstance(scale, int | float) else _attend.__wrapped__
  kernels = mask is None and _allows_kernels()
  # cuDNN computes 64 rows at least, of which few tokens use few.
  cudnn = kernels and not _are_few(q, k) and fits_cudnn(q, k, v)
  return attend(q, k, v, mask, scale=scale, kernels=kernels, cudnn=cudnn)


def _allows_kernels() -> bool:
  """Whether attention may be computed by other programs than XLA's."""
  chosen = os.environ.get(LOWERING) or _LOWERINGS[0]
  check_choice(LOWERING, chosen, _LOWERINGS)
  return chosen == "kernel"


@trace_once("scale", "kernels", "cudnn")
def _attend(
  q: jax.Array,
  k: jax.Array,
  v: jax.Array,
  mask: jax.Array | None,
  *,
  scale: float | jax.Array,
  kernels: bool,
  cudnn: bool,
) -> jax.Array:
  """Computes `attention` of shapes that fit."""
  lead, heads = q.shape[:-3], q.shape[-2]
  if mask is not None:
    shape = (*lead, heads, q.shape[-3], k.shape[-3])
    mask = join_axes(jnp.broadcast_to(mask, shape), 0, -3)
  q, k, v = vary_together(*(join_axes(x, 0, -3) for x in (q, k, v)))
  few = _are_few(q, k)
  lowerings = {
    "cpu": few_attention if few else flat_attention,
    "tpu": summed_attention if few else _native,
    "default": _native,
  }
  if cudnn:
    lowerings["cuda"] = functools.partial(_fused, cudnn_attention)
  if kernels and fits_tpu_kernel(q, k, v):
    lowerings["tpu"] = functools.partial(_fused, tpu_attention_once)
  out = jax.lax.platform_dependent(
    q,
    k,
    v,
    *(() if mask is None else (mask,)),
    **{
      platform: functools.partial(attend, scale=scale)
      for platform, attend in lowerings.items()
    },
  )
  return out.reshape(*lead, *out.shape[1:])  # (..., N, M, d')


def _are_few(q: jax.Array, k: jax.Array) -> bool:
  """Whether no side has many tokens."""
  return max(q.shape[-3], k.shape[-3]) <= _FEW


def _fused(
  kernel: Callable[..., jax.Array],
  q: jax.Array,
  k: jax.Array,
  v: jax.Array,
  *,
  scale: float | jax.Array,
) -> jax.Array:
  """The attention of a kernel, which differentiates once and takes a number."""
  if not isinstance(scale, int | float):
    q, scale = q * scale.astype(q.dtype), 1.0
  once, plain = (functools.partial(x, scale=scale) for x in (kernel, flat_attention))
  return differentiable_twice(once, plain)(q, k, v)


def _native(
  q: jax.Array, k: jax.Array, v: jax.Array, *mask: jax.Array, scale: float
) -> jax.Array:
  """The attention of jax.nn, which needs d' = d and rounds to float32."""
  if v.shape[-1] != q.shape[-1] or q.dtype == jnp.float64:
    return flat_attention(q, k, v, *mask, scale=scale)
  # It adds bfloat16 to float32 inside, which is refused where promotion is
  # strict, and is traced on CPU as well.
  with jax.numpy_dtype_promotion("standard"):
    return jax.nn.dot_product_attention(
      q, k, v, scale=scale, mask=mask[0] if mask else None
    )
