"""What is known of the chips that programs are compiled for."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Tpu(NamedTuple):
  """A TPU chip.

  Attributes:
    topology: Its name for libtpu, one chip of it.
    peak: bfloat16 operations per second; a multiply-add is two.
    bandwidth: Bytes per second to and from the main memory (HBM).
    memory: Bytes of the main memory.
    clock: Cycles per second. Only cycles are made of it; times are made of the
      peak and the bandwidth.
    side: Rows and columns of a matrix unit.
    vector_rate: Operations on elements per second in the vector units.
    source: Where the figures are from.
  """

  topology: str
  peak: float
  bandwidth: float
  memory: float
  clock: float
  side: int
  vector_rate: float
  source: str


# The clocks are those at which side x side x 2 operations a cycle, times the
# number of matrix units, are the peak: 4 units for v5e, 2 x 4 for v5p; v6e
# counts as 4 units of 256 x 256.
# A vector unit has 8 x 128 lanes, each with 4 operations per cycle; v5p has two
# cores with one each ("How to scale your model", jax-ml.github.io/scaling-book,
# chapter 2 and its appendix on the vector unit).
_VECTOR_UNIT = 8 * 128 * 4
TPUS: Mapping[str, Tpu] = MappingProxyType(
  {
    "v5e": Tpu(
      topology="v5e:1x1x1",
      peak=197e12,
      bandwidth=819e9,
      memory=16e9,
      clock=1.5e9,
      side=128,
      vector_rate=1.5e9 * _VECTOR_UNIT,
      source="https://cloud.google.com/tpu/docs/v5e",
    ),
    "v5p": Tpu(
      topology="v5p:1x1x1",
      peak=459e12,
      bandwidth=2765e9,
      memory=95e9,
      clock=1.75e9,
      side=128,
      vector_rate=1.75e9 * 2 * _VECTOR_UNIT,
      source="https://cloud.google.com/tpu/docs/v5p",
    ),
    "v6e": Tpu(
      topology="v6e:1x1x1",
      peak=918e12,
      bandwidth=1638e9,
      memory=32e9,
      clock=1.75e9,
      side=256,
      vector_rate=1.75e9 * _VECTOR_UNIT,
      source="https://cloud.google.com/tpu/docs/v6e",
    ),
  }
)
