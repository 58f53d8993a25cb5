"""Frames of another rule in a random order: clips that do not show time."""

import dataclasses
import functools

import numpy as np

from temporal_jax.data.sampling.base import Lengths, Sampling


@dataclasses.dataclass(frozen=True)
class Shuffled(Sampling):
  """The frames of another rule in a random order.

  A network whose accuracy stays does not use the order of frames. In tests a
  clip's order is always the same: it depends on its number and on the lengths.

  Attributes:
    rule: The other rule, as `parse_sampling` reads it.
  """

  rule: str

  def __post_init__(self) -> None:
    if isinstance(self.of, Shuffled):
      raise ValueError(f"shuffled frames are not shuffled again, got {self.rule!r}.")

  @functools.cached_property
  def of(self) -> Sampling:
    """The other rule."""
    # The registry knows this class.
    from temporal_jax.data.sampling.registry import parse_sampling

    if not isinstance(self.rule, str):
      raise ValueError(f"rule must be a sampling in quotes, got {self.rule!r}.")
    return parse_sampling(self.rule)

  def check(self, num_frames: int, num_clips: int) -> None:
    """See `Sampling.check`."""
    self.of.check(num_frames, num_clips)

  def random(self, lengths: Lengths, rng: np.random.Generator) -> np.ndarray:
    """See `Sampling.random`: any order."""
    return rng.permutation(self.of.random(lengths, rng))

  def fixed(self, lengths: Lengths, clip: int, num_clips: int) -> np.ndarray:
    """See `Sampling.fixed`."""
    rng = np.random.default_rng([lengths.total, lengths.clip, clip, num_clips])
    return rng.permutation(self.of.fixed(lengths, clip, num_clips))
