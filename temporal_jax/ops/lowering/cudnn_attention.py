"""Attention by cuDNN, which keeps the scores on chip, where it can."""

import contextlib
import contextvars
import functools
from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp

_DTYPES = (jnp.bfloat16, jnp.float16)
_CAPABILITY = 8.0  # Least of a GPU whose cuDNN has this attention: Ampere.

_allowed = contextvars.ContextVar("allowed", default=True)


@contextlib.contextmanager
def without_cudnn() -> Iterator[None]:
  """Traces programs for several platforms, and for machines without cuDNN."""
  token = _allowed.set(False)
  try:
    yield
  finally:
    _allowed.reset(token)


def fits_cudnn(q: jax.Array, k: jax.Array, v: jax.Array) -> bool:
  """Whether cuDNN computes this attention, without a mask, on all GPUs here.

  jax knows what the cuDNN that is installed can do: heads of a multiple of 8
  channels, up to 128 or 256 of them. It does not ask whether the GPUs are too
  old for it. Where there is none, the program is for GPUs elsewhere, and they
  are taken to be new.

  Args:
    q: Queries (..., N, M, d).
    k: Keys (..., N', M, d).
    v: Values (..., N', M, d').
  """
  if not _allowed.get():
    return False
  for x in (q, k, v):
    known = all(isinstance(size, int) for size in x.shape)
    if not known or x.size == 0 or x.dtype not in _DTYPES or x.dtype != q.dtype:
      return False
  try:
    clips = [jax.ShapeDtypeStruct((1, *x.shape[-3:]), x.dtype) for x in (q, k, v)]
    # Its gradient has conditions of its own.
    attend = functools.partial(cudnn_attention, scale=1.0)
    jax.eval_shape(lambda *arrays: jax.vjp(attend, *arrays)[0], *clips)
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

  For gradients jax takes even numbers of tokens only. An odd number gets one
  token more, which cuDNN leaves out; without gradients nothing is copied.

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
  return _attend(scale, q, k, v)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _attend(scale: float, q: jax.Array, k: jax.Array, v: jax.Array) -> jax.Array:
  return jax.nn.dot_product_attention(q, k, v, scale=scale, implementation="cudnn")


def _attend_even(scale: float, q: jax.Array, k: jax.Array, v: jax.Array) -> jax.Array:
  """Attends with even numbers of tokens."""
  lengths = {}
  if q.shape[1] % 2 or k.shape[1] % 2:
    lengths = {
      name: jax.lax.full_like(x[:, 0, 0, 0], x.shape[1], jnp.int32)  # (B,)
      for name, x in (("query_seq_lengths", q), ("key_value_seq_lengths", k))
    }
  out = jax.nn.dot_product_attention(
    *(jnp.pad(x, ((0, 0), (0, x.shape[1] % 2), (0, 0), (0, 0))) for x in (q, k, v)),
    scale=scale,
    implementation="cudnn",
    **lengths,
  )
  return out[:, : q.shape[1]]


def _forward(scale: float, *arrays: jax.Array) -> tuple[jax.Array, Callable]:
  return jax.vjp(functools.partial(_attend_even, scale), *arrays)


def _backward(
  scale: float, pull: Callable, gradient: jax.Array
) -> tuple[jax.Array, ...]:
  return pull(gradient)


_attend.defvjp(_forward, _backward)
