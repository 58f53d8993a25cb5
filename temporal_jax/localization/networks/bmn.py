"""Boundary-matching network: the confidence of every proposal of a sequence."""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import layers
from temporal_jax.layers.initializers import torch_default
from temporal_jax.localization.networks import boundary_matching
from temporal_jax.ops import shape_checks
from temporal_jax.ops.lowering.accumulation_dtype import widen
from temporal_jax.ops.lowering.broadcast_channels import along_channels


class BMN(nn.Module):
  """Scores the starts, the ends and the proposals of a sequence of features.

  Proposal (d, t) begins at position t and is d + 1 positions long.

  Attributes:
    num_classes: Classes of proposals of each task, {"verb": 97, "noun": 300};
      None for no such maps.
    durations: Durations of proposals, D, in positions; None for as many as the
      sequence has positions.
    width: Channels of the layers over positions.
    proposal_width: Channels of a proposal's samples together.
    map_width: Channels of the layers over proposals.
    base_layers: Convolutions before all heads.
    groups: Groups of channels of these and of the boundaries' convolutions.
    bins: Bins of a proposal, N, see `boundary_matching`.
    samples_per_bin: Samples of a bin.
    boundary_ratio: Context at each side, as a part of a proposal's length.
    regression: Whether a head gives how proposals are to be moved and resized.
    dtype: Dtype of the computation; parameters and scores stay float32.

  Source: Lin et al. 2019, https://arxiv.org/abs/1907.09702; classes
    `SimpleLocalizationConv` in models/base/backbone.py and `BaseBMN` in
    models/module_zoo/heads/bmn_head.py of alibaba-mmai-research/TAdaConv.
  """

  num_classes: Mapping[str, int] | None = None
  durations: int | None = None
  width: int = 256
  proposal_width: int = 512
  map_width: int = 128
  base_layers: int = 2
  groups: int = 4
  bins: int = 32
  samples_per_bin: int = 3
  boundary_ratio: float = 0.5
  regression: bool = False
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, features: jax.Array, train: bool = False) -> dict[str, Any]:
    """Scores sequences.

    Args:
      features: Features (B, T, C), floating point.
      train: Accepted and without effect.

    Returns:
      "start" and "end": the probability that a segment starts or ends at a
      position, (B, T); "confidence": the estimated IoU of each proposal with a
      segment, by regression and by classification, (B, D, T, 2); "regression",
      if asked for: shift of the centre and logarithm of the scale, (B, D, T,
      2); "classes", if there are any: task -> logits (B, D, T, L). All are
      float32; values of proposals that end after the sequence have no meaning.

    Raises:
      ValueError: If the features are not floating point (B, T, C), the groups
        do not divide their channels, or `durations` is below 1.
    """
    del train
    if features.ndim != 3 or not jnp.issubdtype(features.dtype, jnp.floating):
      raise ValueError(
        "features must be floating point (B, T, C), got "
        f"{features.dtype} {features.shape}."
      )
    x = features
    for layer in range(self.base_layers):
      x = self._convolve(x, f"base{layer + 1}", groups=self.groups)
    scores = {
      name: jax.nn.sigmoid(self._score_positions(x, name))[..., 0]
      for name in ("start", "end")
    }
    x = self._convolve(x, "proposal_base")
    x = _ProposalFeatures(
      self.proposal_width,
      shape_checks.given_or(features.shape[1], durations=self.durations),
      self.bins,
      self.samples_per_bin,
      self.boundary_ratio,
      dtype=self.dtype,
      name="proposal",
    )(x)
    confidence = self._map(x, "confidence", 2)
    scores["confidence"] = jax.nn.sigmoid(confidence)
    if self.regression:
      scores["regression"] = self._map(x, "regression", 2)
    if self.num_classes:
      scores["classes"] = {
        task: self._map(x, f"{task}_classes", count)
        for task, count in self.num_classes.items()
      }
    return scores

  def _convolve(self, x: jax.Array, name: str, *, groups: int = 1) -> jax.Array:
    """Convolves three positions, with ReLU."""
    convolution = layers.TemporalConv(
      self.width,
      groups=groups,
      kernel_init=torch_default(),
      dtype=self.dtype,
      name=name,
    )
    return jax.nn.relu(convolution(x))

  def _score_positions(self, x: jax.Array, name: str) -> jax.Array:
    """Returns logits (B, T, 1)."""
    x = self._convolve(x, f"{name}_hidden", groups=self.groups)
    return widen(_dense(1, f"{name}_score", self.dtype)(x))

  def _map(self, x: jax.Array, name: str, features: int) -> jax.Array:
    """Returns logits (B, D, T, features)."""
    return _MapHead(self.map_width, features, dtype=self.dtype, name=name)(x)


class _ProposalFeatures(nn.Module):
  """Features of all proposals: samples, and a kernel for each bin.

  Attributes:
    features: Output channels.
    durations: Durations, D.
    bins: Bins, N.
    samples_per_bin: Samples of a bin.
    boundary_ratio: Context at each side.
    dtype: Dtype of the computation.
  """

  features: int
  durations: int
  bins: int
  samples_per_bin: int
  boundary_ratio: float
  dtype: jax.typing.DTypeLike

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Maps (B, T, C) to (B, D, T, features)."""
    shape = (self.bins, x.shape[-1], self.features)
    kernel = self.param("kernel", torch_default(), shape, jnp.float32)
    bias = self.param("bias", nn.initializers.zeros, (self.features,), jnp.float32)
    samples = boundary_matching.place_samples(
      self.durations,
      bins=self.bins,
      samples_per_bin=self.samples_per_bin,
      boundary_ratio=self.boundary_ratio,
    )
    x = jnp.einsum("btc,ncf->bntf", x, kernel.astype(x.dtype))
    out = boundary_matching.sample_proposals(x, samples)
    return jax.nn.relu(out + along_channels(bias, out))


class _MapHead(nn.Module):
  """Two convolutions of 3 x 3 proposals between two layers of one.

  Attributes:
    width: Channels inside.
    features: Output channels.
    dtype: Dtype of the computation.
  """

  width: int
  features: int
  dtype: jax.typing.DTypeLike

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Maps (B, D, T, C) to (B, D, T, features), float32."""
    x = jax.nn.relu(_dense(self.width, "layer1", self.dtype)(x))
    for layer in (2, 3):
      convolution = layers.Conv2D(
        self.width,
        3,
        use_bias=True,
        kernel_init=torch_default(),
        dtype=self.dtype,
        name=f"layer{layer}",
      )
      x = jax.nn.relu(convolution(x))
    return widen(_dense(self.features, "layer4", self.dtype)(x))


def _dense(features: int, name: str, dtype: jax.typing.DTypeLike) -> nn.Dense:
  return nn.Dense(features, kernel_init=torch_default(), dtype=dtype, name=name)
