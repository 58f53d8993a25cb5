"""Time a network on this device: latency, throughput, memory, FLOPs.

  temporal-jax benchmark resnet50 --batch-sizes 1 8
  temporal-jax benchmark runs/mine --batch-sizes 1

From clips of uint8 on the device to probabilities, with batch norms folded. A
NAME has untrained weights, which take as long. The memory is as the compiler
sets aside, with weights and clips. "GFLOPs" are all operations of a clip, as
the compiler counts them, and may be fewer than expected where a platform has
a shorter way; "G mult-adds" counts only matrix products and convolutions, which
papers call FLOPs.
"""

import argparse
import json
from typing import TYPE_CHECKING, Any

from temporal_jax.commands.shared.arguments import add_network, is_saved

if TYPE_CHECKING:
  from temporal_jax.inference import SavedModel, Timing

COMPUTES = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
  """Adds the arguments of `benchmark`."""
  add_network(parser)
  parser.add_argument(
    "--batch-sizes",
    type=int,
    nargs="+",
    default=[1, 8],
    metavar="N",
    help="clips at once (1 8)",
  )
  parser.add_argument(
    "--dtype",
    choices=("float32", "bfloat16", "float16"),
    help="dtype of the activations (bfloat16, float32 on CPU)",
  )
  parser.add_argument(
    "--seconds",
    type=float,
    default=3.0,
    help="seconds to run each, after two runs that are not timed (%(default)s)",
  )
  parser.add_argument("--json", action="store_true", help="print it all as JSON")


def run(options: argparse.Namespace) -> int:
  """Prints a row for each batch size."""
  from temporal_jax import inference
  from temporal_jax.display import tables

  saved = _open(options)
  timings = [
    inference.time_network(saved, size, seconds=options.seconds)
    for size in options.batch_sizes
  ]
  about = _about(saved)
  if options.json:
    rows = [timing._asdict() for timing in timings]
    print(json.dumps({**about, "timings": rows}, indent=2))
    return 0
  print(
    f"{about['network']}, {' x '.join(map(str, about['clip_shape']))}, "
    f"{about['dtype']}, {about['params'] / 1e6:.1f} M parameters"
  )
  print(
    f"{about['device']} ({about['platform']}), {about['cpu_cores']} CPU cores, "
    f"jax {about['jax']}"
  )
  head = (
    "batch",
    "median ms",
    "p95 ms",
    "clips/s",
    "MiB",
    "GFLOPs",
    "G mult-adds",
    "compile s",
  )
  table = tables.columns(map(_cells, timings), head=head, right=range(len(head)))
  for line in tables.render(table):
    print(line)
  return 0


def _open(options: argparse.Namespace) -> "SavedModel":
  """Returns the network of a directory, or a new one of the catalog."""
  from temporal_jax import inference
  from temporal_jax.models.network import check_size

  check_size("--frames", options.frames)
  check_size("--image-size", options.image_size)
  if not is_saved(options.network):
    return inference.new_model(
      options.network,
      num_frames=options.frames,
      image_size=options.image_size,
      dtype=options.dtype,
    )
  saved = inference.load_model(options.network, dtype=options.dtype)
  frames, height, width, channels = saved.clip_shape
  shape = (
    options.frames or frames,
    options.image_size or height,
    options.image_size or width,
    channels,
  )
  return saved._replace(clip_shape=shape)


def _about(saved: "SavedModel") -> dict[str, Any]:
  """Returns the facts of the timed network and of the machine."""
  import os

  import jax
  import jax.numpy as jnp

  from temporal_jax.models.inspect import count

  device = jax.devices()[0]
  return {
    "network": saved.name,
    "clip_shape": saved.clip_shape,
    "dtype": jnp.dtype(saved.network.dtype).name,
    "params": count.parameters(saved.variables),
    "device": device.device_kind,
    "platform": device.platform,
    "cpu_cores": os.cpu_count(),
    "jax": jax.__version__,
  }


def _cells(timing: "Timing") -> tuple[str, ...]:
  """Returns the cells of a row."""
  peak, flops = timing.peak_bytes, timing.flops
  return (
    str(timing.batch_size),
    f"{timing.median_ms:.2f}",
    f"{timing.p95_ms:.2f}",
    f"{timing.clips_per_second:.1f}",
    "-" if peak is None else f"{peak / 2**20:.0f}",
    "-" if flops is None else f"{flops / 1e9:.2f}",
    f"{timing.multiply_adds / 1e9:.2f}",
    f"{timing.compile_seconds:.1f}",
  )
