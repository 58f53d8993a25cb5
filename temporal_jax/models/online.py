"""Checks that a network can run on one frame of a stream at a time."""

from temporal_jax.models.network import Network
from temporal_jax.models.operators import OPERATORS, resolve


def check_online(network: Network) -> None:
  """Refuses networks that need more than a frame and their state of others.

  One that passes is applied to the frames (B, 1, H, W, 3) of a stream, one
  after the other, with `mutable=["cache"]` and the "cache" that it returned for
  the frame before, none for the first; see `layers.online_state`. It returns
  the logits of each frame. Their mean over the frames so far are the logits
  that it gives for all of these as one clip, without a cache.

  Raises:
    ValueError: If frames meet elsewhere than in temporal slots, or a layer
      there is not causal; it lists the causal operators.
  """
  kind = type(network).__name__
  if not network.is_framewise():
    raise ValueError(
      f"this {kind} cannot run online: outside its temporal operator it mixes "
      "frames itself, by convolutions or patches over several of them, by "
      "branches that see alternate ones, by positions in time, or in a head "
      "that does more than average logits."
    )
  if not network.temporal.online():
    raise ValueError(
      f"this {kind} cannot run online, since its temporal operator is not causal; "
      f"allowed are {online_operators(network)}."
    )


def online_operators(network: Network) -> list[str]:
  """Returns the operators, by name, that a network may have to run online."""
  return [
    name
    for name in OPERATORS
    if (temporal := resolve(name, network)).online()
    and temporal.filled() <= set(network.SLOTS)
  ]
