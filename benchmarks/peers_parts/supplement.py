"""Table 1 of X-ViT's supplement on our networks: videos per second.

The table has no views; they are the ones of the networks' papers on
Kinetics-400. Random weights do not change the time.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import numpy as np

from benchmarks.shared import network_sides, timing
from temporal_jax import inference
from temporal_jax.models.inspect import count

_DEFAULT = MappingProxyType({})


class Method(NamedTuple):
  """A row of the table.

  Attributes:
    name: Its name there.
    printed: Videos per second on eight V100, as printed.
    network: Name in the catalog; None if the catalog has none like it.
    clip_shape: (T, H, W) of a view.
    views: Views of a video.
    kwargs: Arguments of `create_model`.
  """

  name: str
  printed: float
  network: str | None = None
  clip_shape: tuple[int, int, int] = (0, 0, 0)
  views: int = 0
  kwargs: Mapping[str, Any] = _DEFAULT


X_VIT = Method("X-ViT", 12, "xvit_b16", (16, 224, 224), 3)
_VIVIT_L = MappingProxyType({"width": 1024, "depth": 24, "num_heads": 16})
METHODS = (
  # 24 x 2 frames, 3 clips x 3 crops: table 3 of arXiv:1912.00869.
  Method("bLVNet", 7.5, "blvnet_tam_50", (48, 256, 256), 9),
  Method("TEA", 2.4),
  Method("I3D-NL ResNet-101", 0.37),
  # 10 clips x 3 crops: arXiv:1812.03982. The depth is not in the table.
  Method("SlowFast (8 frames)", 0.69, "slowfast_50_8x8", (32, 256, 256), 30),
  # TimeSformer-L, 1 x 3: arXiv:2102.05095.
  Method("TimeSformer", 0.69, "timesformer_b16_96f", (96, 224, 224), 3),
  # Model 1 with the width of ViT-L, 4 x 3: arXiv:2103.15691.
  Method("ViViT-L", 0.66, "vivit_b16x2", (32, 224, 224), 12, _VIVIT_L),
  X_VIT,
)


class _View(NamedTuple):
  """Compiled inference of one view, and its multiply-adds."""

  run: Callable[[], Any]
  multiply_adds: int


def measure(
  method: Method, *, seconds: float, baseline: Method = X_VIT
) -> dict[str, Any]:
  """Times a video's views next to those of X-ViT, in turns.

  Args:
    method: The row.
    seconds: Time to spend.
    baseline: The row of X-ViT.

  Returns:
    "ratio", videos per second over X-ViT's, and "printed_ratio", the same of
    the paper; "multiply_adds" of a video; "milliseconds" of a view. If the
    catalog has no such network, only "printed_ratio".
  """
  row = {"name": method.name, "printed_ratio": method.printed / baseline.printed}
  if method.network is None:
    return row
  own, other = _compile(method), _compile(baseline)
  times = timing.side_by_side(
    own.run, other.run, seconds=seconds, turns=(3, 20), repeats=1
  )
  return row | {
    "network": method.network,
    "clip": (1, *method.clip_shape, 3),
    "views": method.views,
    "milliseconds": times.ours,
    "ratio": times.ratio * baseline.views / method.views,
    "multiply_adds": own.multiply_adds * method.views,
  }


def _compile(method: Method) -> _View:
  frames, side, _ = method.clip_shape
  saved = inference.new_model(
    method.network, num_frames=frames, image_size=side, **method.kwargs
  )
  forward = inference.create_forward(saved)
  variables = jax.device_put(inference.prepare_variables(saved))
  clip = np.zeros((1, *method.clip_shape, 3), np.uint8)
  compiled = network_sides.compile_ahead(forward, variables, clip)
  return _View(compiled.run, count.multiply_adds(forward, variables, clip))
