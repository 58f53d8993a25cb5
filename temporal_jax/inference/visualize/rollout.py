"""Attention rollout: the patches that class tokens attend to."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from temporal_jax import layers, ops
from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.inference.visualize.available_maps import (
  Calls,
  attention_names,
  refuse,
)
from temporal_jax.inference.visualize.layer_choice import Grid, patch_grid
from temporal_jax.inference.visualize.record_modules import Call, calls_of, record
from temporal_jax.inference.visualize.scale_maps import over_time, scaled

Variables = Mapping[str, Any]


def create_rollout(
  saved: SavedModel,
) -> Callable[[Variables, jax.Array], jax.Array]:
  """Returns `rollout(variables, clip) -> maps`, a pure function.

  The maps are the shares of the patches in `attention_shares`, divided by the
  largest one in the clip. It takes variables as `prepare_variables` returns
  them and a clip (T, H, W, 3) uint8; maps are (T, h, w) float32 in [0, 1].

  Args:
    saved: The network.
  """

  def rollout(variables: Variables, clip: jax.Array) -> jax.Array:
    shares = attention_shares(saved, variables, clip)
    rows, columns = patch_grid(saved, clip)
    patches = shares[:, 1 : 1 + rows * columns]
    maps = patches.reshape(len(shares), rows, columns)
    return over_time(scaled(maps), len(clip))

  return rollout


def attention_shares(
  saved: SavedModel, variables: Variables, clip: jax.Array
) -> jax.Array:
  """Returns the share of each token in the last class tokens.

  With the weights A of a block's attention, the mean over its heads, every
  token becomes (I + A) / 2 of the tokens before the block; the products of all
  blocks are applied to the class tokens, each of which counts 1 / T'.

  Attention may be within frames, also with keys mixed along time, whose weights
  count for the frame that they are attended in; joint; or divided or aligned,
  where the attention along time is a step of its own before that within the
  frames. The copies of a shared class token have equal shares. Other layers
  that join frames (convolutions, shifts, alignment), the MLPs and layers after
  the last block are not followed.

  Args:
    saved: The network.
    variables: As `prepare_variables` returns them.
    clip: (T, H, W, 3) uint8.

  Returns:
    Shares (T', N) float32 of class token, patches and registers of each frame,
    or tubelet; they sum to 1.

  Raises:
    ValueError: If the network has no such attention.

  Source: Abnar & Zuidema 2020, https://arxiv.org/abs/2005.00928, section 3; on
    divided attention one factor after the other.
  """
  calls = record(saved, variables, clip).calls
  names, grid = attention_names(saved, calls), patch_grid(saved, clip)
  if not names or grid is None:
    refuse(
      saved,
      calls,
      "attention that rollout can follow (within frames, joint, divided or "
      "aligned, without tokens of other frames among a frame's own)",
    )
  temporal = calls_of(calls, layers.TemporalAttention)
  tokens = calls[names[-1]][-1].args[0]
  shares = jnp.zeros(tokens.shape[1:3]).at[:, 0].set(1 / tokens.shape[1])
  for name in reversed(names):
    weights = _weights(name, calls, variables, grid)
    shares = (shares + _passed(shares, weights)) / 2
    if getattr(saved.network, "shared_class_token", False):
      shares = shares.at[:, 0].set(jnp.mean(shares[:, 0]))
    branch = f"{name}_branch"
    if branch in temporal:
      weights = _weights(f"{branch}/attention", calls, variables, grid)
      end = 1 + grid[0] * grid[1]
      patches = shares[:, 1:end]
      passed = _along_time(patches, weights, temporal[branch])
      shares = shares.at[:, 1:end].set((patches + passed) / 2)
  return shares


def _weights(name: str, calls: Calls, variables: Variables, grid: Grid) -> jax.Array:
  """Returns the weights of a `SelfAttention` (..., N, N), mean of its heads."""
  module = calls_of(calls, layers.SelfAttention)[name].module
  q, k, _ = calls[f"{name}/qkv"][0].output
  heads = calls[f"{name}/qkv"][0].module.outer
  q, k = (x.reshape(*x.shape[:-1], *heads) for x in (q, k))  # (..., N, M, d)
  if module.qkv_bias and not module.key_bias:
    params = variables["params"]
    for part in name.split("/"):
      params = params[part]
    bias = params["query_value_bias"][0].astype(q.dtype)
    q = q + bias.reshape(*[1] * (q.ndim - 2), *bias.shape)
  if module.keys_values is not None:
    mixed, _ = calls[f"{name}/keys_values"][0].output  # Keys come first.
    k = jnp.concatenate(
      [mixed.reshape(*mixed.shape[:-1], *heads), k[..., mixed.shape[-2] :, :, :]],
      axis=-3,
    )
  if module.rotary is not None:
    q, k = (module.turn(x, grid) for x in (q, k))
  scale = q.shape[-1] ** -0.5 if module.scale is None else module.scale
  products = jnp.einsum(
    "...qmd,...kmd->...mqk", q, k, preferred_element_type=jnp.float32
  )
  return jnp.mean(jax.nn.softmax(scale * products), axis=-3)


def _passed(shares: jax.Array, weights: jax.Array) -> jax.Array:
  """Hands shares (T, N) on to the attended tokens.

  Args:
    shares: Shares of each token.
    weights: (1, T, N, N) within frames, joint (1, T N, T N), or joint with one
      class token, which is the first of 1 + T (N - 1) tokens.
  """
  if weights.ndim == 4:
    return jnp.einsum("tn,tnm->tm", shares, weights[0])
  if weights.shape[-1] == shares.size:
    return (shares.reshape(-1) @ weights[0]).reshape(shares.shape)
  token, patches = jnp.sum(shares[:, 0]), shares[:, 1:]
  passed = jnp.concatenate([token[None], patches.reshape(-1)]) @ weights[0]
  frames = len(shares)
  tokens = jnp.full((frames, 1), passed[0] / frames)
  return jnp.concatenate([tokens, passed[1:].reshape(patches.shape)], axis=1)


def _along_time(shares: jax.Array, weights: jax.Array, call: Call) -> jax.Array:
  """Hands shares (T, N) of patches on to patches of other frames.

  Args:
    shares: Shares of each patch.
    weights: (1, N, T, T), of each patch along time.
    call: Call of the module `TemporalAttention`.
  """
  shares = shares[None, :, :, None]
  if call.module.aligned:
    order = ops.match_patches(call.args[0][:, :, 1:])
    shares = ops.permute_patches(shares, order)
  shares = jnp.einsum("btnd,bnts->bsnd", shares, weights)
  if call.module.aligned:
    shares = ops.permute_patches(shares, order, inverse=True)
  return shares[0, :, :, 0]
