"""Parses a number of views such as "4x3" (clips x crops)."""

import dataclasses
import re

from temporal_jax.data.views.eval_protocol import NUM_CROPS, EvalProtocol


def with_views(protocol: EvalProtocol, views: str) -> EvalProtocol:
  """Returns a protocol with other numbers of clips and crops.

  Args:
    protocol: The protocol whose other fields stay.
    views: Clips of a video x crops of each: "4x3". Some papers write crops
      first: "3x4" means 4 clips of 3 crops too, as no clip has 4 crops.

  Raises:
    ValueError: If it cannot be read, or the crops are not of `NUM_CROPS`.
  """
  numbers = re.fullmatch(r"([1-9][0-9]*)x([1-9][0-9]*)", views)
  if not numbers:
    raise ValueError(f"--views must be clips x crops as 4x3, got {views!r}.")
  clips, crops = (int(number) for number in numbers.groups())
  if crops not in NUM_CROPS and clips in NUM_CROPS:
    clips, crops = crops, clips
  if crops not in NUM_CROPS:
    raise ValueError(f"--views {views}: the crops of a clip must be in {NUM_CROPS}.")
  return dataclasses.replace(protocol, num_clips=clips, num_crops=crops)
