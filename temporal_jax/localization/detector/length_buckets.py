"""The few lengths that films are padded to."""

from temporal_jax.localization.networks.actionformer import ActionFormer


def padded_positions(network: ActionFormer, length: int) -> int:
  """Returns the positions that a film is padded to.

  A network is compiled for each length. They are the strides of the last level
  times 2, 3, 4, 6, 8, 12, ..., so that they are few. Results are as with the
  length that the authors pad to, `padded_length`: after its end a film sees, at
  each level, one position of padding or the end of the sequence; and absolute
  positions are stretched with sequences that are longer than in training.

  Args:
    network: The network.
    length: Positions of the film, at least 1.
  """
  step = network.stride ** (len(network.ranges) - 1)
  exact = -(-network.padded_length(length) // step) * step
  # All levels have padding from here on.
  least = (-(-length // step) + 1) * step
  is_stretched = network.positions and exact > network.max_length
  if exact < least or is_stretched:
    return exact
  bucket, following = 2 * step, 3 * step
  while bucket < least:
    bucket, following = following, 2 * bucket
  return min(bucket, exact)
