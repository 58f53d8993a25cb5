"""Tokens as temporal slots see them: a class token, then the patches."""

import jax
import jax.numpy as jnp


def show_slots(
  x: jax.Array, *, has_class_token: bool, num_registers: int
) -> tuple[jax.Array, jax.Array]:
  """Splits tokens into those that a temporal slot sees, and the registers.

  Where frames have no class token, the slot sees the mean of the patches.

  Args:
    x: Tokens (..., N, D): a class token if there is one, the patches, the
      registers.
    has_class_token: Whether the first is a class token.
    num_registers: Registers of a frame, R.

  Returns:
    Tokens (..., 1 + P, D) of class token and patches, and registers (..., R,
    D).
  """
  seen, registers = jnp.split(x, [x.shape[-2] - num_registers], axis=-2)
  if has_class_token:
    return seen, registers
  mean = jnp.mean(seen, axis=-2, keepdims=True)
  return jnp.concatenate([mean, seen], axis=-2), registers


def hide_slots(
  seen: jax.Array, registers: jax.Array, *, has_class_token: bool
) -> jax.Array:
  """Joins the tokens of a slot with the registers: `show_slots` backwards.

  Args:
    seen: Tokens (..., N, D), class token first or the mean in its place.
    registers: Registers (..., R, D).
    has_class_token: Whether the first is a class token; else it is left out.
  """
  own = seen if has_class_token else seen[..., 1:, :]
  if not registers.shape[-2]:
    return own
  return jnp.concatenate([own, registers.astype(own.dtype)], axis=-2)
