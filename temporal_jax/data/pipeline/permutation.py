"""Random permutations whose single places are computed without the others."""

import functools

import numpy as np

_ROUNDS = 8  # Even, so that the halves end as wide as they begin.
_LEAST_BITS = 6  # Below, a network of so few bits cannot make all orders.
_MASK = 2**64 - 1


def shuffled(place: int, count: int, seed: int) -> int:
  """Returns the number, of `count`, of the video at a place of the order.

  A Feistel network permutes all numbers of as many bits as `count` needs. What
  is not below `count` is permuted again: the number comes from a cycle that
  begins below it, so that an end is always found.

  Source: Black and Rogaway 2002, Ciphers with arbitrary finite domains,
    sections 4 and 5.
  """
  epoch, number = divmod(place, count)
  bits = max(_LEAST_BITS, (count - 1).bit_length())
  low_bits = bits // 2
  keys = _keys(seed, epoch)
  number = _permute(number, bits - low_bits, low_bits, keys)
  while number >= count:
    number = _permute(number, bits - low_bits, low_bits, keys)
  return number


def _permute(number: int, high_bits: int, low_bits: int, keys: tuple[int, ...]) -> int:
  """Permutes the numbers of so many bits."""
  masks = (1 << high_bits) - 1, (1 << low_bits) - 1
  high, low = number >> low_bits, number & masks[1]
  for index, key in enumerate(keys):
    # The halves change places, and their widths with them.
    high, low = low, high ^ (_mix(low ^ key) & masks[index % 2])
  return (high << low_bits) | low


def _mix(value: int) -> int:
  """Returns 64 bits each of which depends on all 64 of `value`.

  Source: Steele et al. 2014, Fast splittable pseudorandom number generators,
    `mix64variant13`.
  """
  value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
  value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
  return value ^ (value >> 31)


@functools.lru_cache(maxsize=1024)
def _keys(seed: int, epoch: int) -> tuple[int, ...]:
  """Returns the keys of the rounds of an epoch."""
  state = np.random.SeedSequence([seed, epoch])
  return tuple(map(int, state.generate_state(_ROUNDS, np.uint64)))
