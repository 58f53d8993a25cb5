"""Attention by cuDNN, which keeps the scores on chip, where it can."""

import functools

import jax
import jax.numpy as jnp

_DTYPES = (jnp.bfloat16, jnp.float16)
_CAPABILITY = 8.0  # Of a GPU, from which on cuDNN has this attention: Ampere.


def fits_cudnn(q: jax.Array, k: jax.Array, v: jax.Array) -> bool:
  """Whether cuDNN computes this attention, without a mask, on all GPUs here.

  jax knows what the cuDNN that is installed can do: heads of a multiple of 8
  channels, up to 128 or 256 of them. It does not ask whether the GPUs are too
  old for it. Where there is none, the program is for GPUs elsewhere, and they
  are taken to be new.

  Args:
    q: Queries (B, N, M, d).
    k: Keys (B, N', M, d).
    v: Values (B, N', M, d').
  """
  if any(
    x.dtype not in _DTYPES or x.dtype != q.dtype or x.size == 0 for x in (q, k, v)
  ):
    return False
  try:
    jax.eval_shape(functools.partial(cudnn_attention, scale=1.0), q, k, v)
  except (NotImplementedError, RuntimeError, ValueError):
    return False
  try:
    devices = jax.local_devices(backend="gpu")
  except RuntimeError:
    return True
  return all(float(x.compute_capability) >= _CAPABILITY for x in devices)


def cudnn_attention(
  q: jax.Array, k: jax.Array, v: jax.Array, *, scale: float
) -> jax.Array:
  """Returns softmax(q k^T scale) v by cuDNN, which differentiates once.

  Args:
    q: Queries (B, N, M, d), bfloat16 or float16.
    k: Keys (B, N', M, d), like `q`.
    v: Values (B, N', M, d), like `q`.
    scale: Factor of the products.

  Returns:
    Tokens (B, N, M, d).

  Raises:
    NotImplementedError, RuntimeError, ValueError: If it cannot.
  """
  return jax.nn.dot_product_attention(q, k, v, scale=scale, implementation="cudnn")
