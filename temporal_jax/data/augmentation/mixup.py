"""Mixup and cutmix of the clips of a batch."""

import dataclasses
from collections.abc import Mapping

import jax
import jax.numpy as jnp

from temporal_jax.validation import check_choice, check_number

Targets = jax.Array | Mapping[str, jax.Array]


@dataclasses.dataclass(frozen=True)
class Mix:
  """Mixes each clip and its target with a partner's.

  Mixup is lam * clip + (1 - lam) * partner. Cutmix copies a box of area 1 -
  lam, cut off at the edges, from the partner's frames into the clip's; lam is
  then the area that is left of the clip. lam is drawn from Beta(alpha, alpha).
  Called as `mix(key, clip, target) -> (clip, target)`.

  Attributes:
    mixup_alpha: 0 for no mixup.
    cutmix_alpha: 0 for no cutmix.
    probability: That a draw mixes at all.
    switch_probability: Probability of cutmix, where both are on.
    mode: "batch", one draw for all clips, or "pair", one for each pair.
    partner: "reversed", the clip at the same place from the batch's end, or
      "random", by a random permutation.

  Source: Zhang et al. 2017, https://arxiv.org/abs/1710.09412; Yun et al. 2019,
    https://arxiv.org/abs/1905.04899; dataset/mixup.py of whwu95/ATM (reversed);
    datasets/blending.py of Francis-Rings/ILA (random).
  """

  mixup_alpha: float = 0.0
  cutmix_alpha: float = 0.0
  probability: float = 1.0
  switch_probability: float = 0.5
  mode: str = "batch"
  partner: str = "reversed"

  def __post_init__(self) -> None:
    check_number("mixup_alpha", self.mixup_alpha, 0)
    check_number("cutmix_alpha", self.cutmix_alpha, 0)
    check_number("probability", self.probability, 0, 1)
    check_number("switch_probability", self.switch_probability, 0, 1)
    check_choice("mode", self.mode, ("batch", "pair"))
    check_choice("partner", self.partner, ("reversed", "random"))
    if not self.mixup_alpha and not self.cutmix_alpha:
      raise ValueError(
        "mixup_alpha and cutmix_alpha are both 0: there is nothing to mix."
      )

  def __call__(
    self, key: jax.Array, clip: jax.Array, target: Targets
  ) -> tuple[jax.Array, Targets]:
    """Mixes float clips (B, T, H, W, 3) and their soft targets.

    Args:
      key: Random key.
      clip: (B, T, H, W, 3), floating point.
      target: (B, L) float32, or a dict of such arrays.

    Returns:
      Clips and targets of the same shapes.

    Raises:
      ValueError: If clips or targets are of another rank, dtype or length.
    """
    if clip.ndim != 5 or not jnp.issubdtype(clip.dtype, jnp.floating):
      raise ValueError(
        "clips to mix must be floating point (B, T, H, W, 3), got "
        f"{clip.dtype}{clip.shape}."
      )
    count = clip.shape[0]
    for values in jax.tree.leaves(target):
      soft = jnp.issubdtype(values.dtype, jnp.floating)
      if values.ndim != 2 or values.shape[0] != count or not soft:
        raise ValueError(
          f"targets must be floating point ({count}, L), got "
          f"{values.dtype}{values.shape}."
        )
    partner_key, draw_key = jax.random.split(key)
    own = jnp.arange(count)
    if self.partner == "random":
      order = jax.random.permutation(partner_key, own)

    def partners(values: jax.Array) -> jax.Array:
      # Reversing lets devices swap clips; any order has them gather all.
      return values[order] if self.partner == "random" else values[::-1]

    if self.mode == "batch":
      draw = own[:1]  # It broadcasts.
    elif self.partner == "random":
      draw = own
    else:  # Each other's partners share a draw.
      draw = jnp.minimum(own, partners(own))
    keys = jax.vmap(lambda i: jax.random.fold_in(draw_key, i))(draw)
    share, kept = jax.vmap(lambda k: self._draw(k, *clip.shape[2:4]))(keys)
    lam = share * jnp.mean(kept, axis=(1, 2))  # One of the two is 1.

    weight = share.reshape(-1, 1, 1, 1, 1) * kept[:, None, :, :, None]
    weight = weight.astype(clip.dtype)
    mixed = weight * clip + (1 - weight) * partners(clip)

    def blend(values: jax.Array) -> jax.Array:
      weight = lam[:, None].astype(values.dtype)
      return weight * values + (1 - weight) * partners(values)

    return mixed, jax.tree.map(blend, target)

  def _draw(
    self, key: jax.Array, height: int, width: int
  ) -> tuple[jax.Array, jax.Array]:
    """Draws the clip's share of mixup, and where cutmix keeps it (H, W)."""
    mixed_key, switch_key, up_key, cut_key, *keys = jax.random.split(key, 6)
    mixed = jax.random.bernoulli(mixed_key, self.probability)
    switch = self.switch_probability
    if not (self.mixup_alpha and self.cutmix_alpha):
      switch = float(self.cutmix_alpha > 0)
    cut = jax.random.bernoulli(switch_key, switch)
    share, whole = jnp.float32(1), jnp.ones((height, width), jnp.float32)
    kept = whole
    if self.mixup_alpha:
      lam = jax.random.beta(up_key, self.mixup_alpha, self.mixup_alpha)
      share = jnp.where(mixed & ~cut, lam, 1.0)
    if self.cutmix_alpha:
      lam = jax.random.beta(cut_key, self.cutmix_alpha, self.cutmix_alpha)
      rows, columns = (
        _outside(one, side, lam)
        for one, side in zip(keys, (height, width), strict=True)
      )
      outside = rows[:, None] | columns[None]
      kept = jnp.where(mixed & cut, outside.astype(jnp.float32), whole)
    return share, kept


def _outside(key: jax.Array, side: int, lam: jax.Array) -> jax.Array:
  """Draws a stretch of sqrt(1 - lam) of a side; True (side,) outside of it."""
  half = jnp.floor(side * jnp.sqrt(1 - lam)).astype(jnp.int32) // 2
  center = jax.random.randint(key, (), 0, side)
  places = jnp.arange(side)
  return (places < center - half) | (places >= center + half)
