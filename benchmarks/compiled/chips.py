"""Peak, bandwidth and memory of TPU chips and GPUs, for estimates."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Chip(NamedTuple):
  """A TPU chip or a GPU.

  Attributes:
    peak: bfloat16 operations per second; a multiply-add is two.
    bandwidth: Bytes per second to and from the main memory (HBM).
    memory: Bytes of the main memory.
    clock: Cycles per second. Only cycles are made of it; times are made of the
      peak and the bandwidth.
    side: Rows and columns of a matrix unit that a product should fill; 1 where
      any product can reach the peak.
    depthwise: Share of the peak of a product whose channels are separate.
    vector_rate: Operations on elements per second outside of the matrix units.
    source: Publication of the figures.
  """

  peak: float
  bandwidth: float
  memory: float
  clock: float
  side: int
  depthwise: float
  vector_rate: float
  source: str


# A vector unit of a TPU has 8 x 128 lanes with 4 operations per cycle; v5p has
# two cores with one each ("How to scale your model",
# jax-ml.github.io/scaling-book, chapter 2 and its appendix).
_VECTOR_UNIT = 8 * 128 * 4
# By XLA's own estimates, see `benchmarks.compiled.calibration`.
_TPU_DEPTHWISE = 1 / 145

# Clocks are those at which the matrix units reach the peak: 4 of 128 x 128 in
# v5e, twice as many in v5p, and 4 of 256 x 256 in v6e.
TPUS: Mapping[str, Chip] = MappingProxyType(
  {
    "v5e": Chip(
      peak=197e12,
      bandwidth=819e9,
      memory=16e9,
      clock=1.5e9,
      side=128,
      depthwise=_TPU_DEPTHWISE,
      vector_rate=1.5e9 * _VECTOR_UNIT,
      source="https://cloud.google.com/tpu/docs/v5e",
    ),
    "v5p": Chip(
      peak=459e12,
      bandwidth=2765e9,
      memory=95e9,
      clock=1.75e9,
      side=128,
      depthwise=_TPU_DEPTHWISE,
      vector_rate=1.75e9 * 2 * _VECTOR_UNIT,
      source="https://cloud.google.com/tpu/docs/v5p",
    ),
    "v6e": Chip(
      peak=918e12,
      bandwidth=1638e9,
      memory=32e9,
      clock=1.75e9,
      side=256,
      depthwise=_TPU_DEPTHWISE,
      vector_rate=1.75e9 * _VECTOR_UNIT,
      source="https://cloud.google.com/tpu/docs/v6e",
    ),
  }
)

_H100 = Chip(
  peak=989e12,
  bandwidth=3.35e12,
  memory=80e9,
  clock=1.98e9,
  side=1,
  depthwise=67 / 989,  # Without tensor cores: as fast as float32.
  vector_rate=33.5e12,  # 67e12 operations of float32, two in a multiply-add.
  source="https://www.nvidia.com/en-us/data-center/h100/ (SXM)",
)
GPUS: Mapping[str, Chip] = MappingProxyType(
  {
    "h100": _H100,
    "h200": _H100._replace(
      bandwidth=4.8e12,
      memory=141e9,
      source="https://www.nvidia.com/en-us/data-center/h200/ (SXM)",
    ),
  }
)
