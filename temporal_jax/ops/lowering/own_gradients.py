"""Convolutions with hand-written gradients (custom VJP)."""

import functools
from collections.abc import Callable

import jax


def with_gradients(
  convolve: Callable[..., jax.Array],
  gradients: Callable[..., tuple[jax.Array, jax.Array]],
) -> Callable[..., jax.Array]:
  """Returns a convolution that differentiates by `gradients`.

  Args:
    convolve: `(x, kernel, *, stride, padding, dilation) -> result`.
    gradients: `(x, kernel, gradient, *, stride, padding, dilation)` -> the
      gradients of `x` and `kernel`, for the gradient of the result.

  Returns:
    `convolution(x, kernel, stride, padding, dilation) -> result`.
  """

  @functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4))
  def convolution(
    x: jax.Array, kernel: jax.Array, stride: int, padding: int, dilation: int
  ) -> jax.Array:
    return convolve(x, kernel, stride=stride, padding=padding, dilation=dilation)

  def forward(
    x: jax.Array, kernel: jax.Array, *settings: int
  ) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return convolution(x, kernel, *settings), (x, kernel)

  def backward(
    stride: int,
    padding: int,
    dilation: int,
    saved: tuple[jax.Array, jax.Array],
    gradient: jax.Array,
  ) -> tuple[jax.Array, jax.Array]:
    return gradients(
      *saved, gradient, stride=stride, padding=padding, dilation=dilation
    )

  convolution.defvjp(forward, backward)
  return convolution
