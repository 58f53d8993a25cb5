r"""Memory of a training step's gradients, with and without `remat`.

  python -m benchmarks.memory vit_l14 [--batch B] [--frames T ...] \
    [--dtype D] [--tpu v5p:1x1x1] [--png OUT.png] [--json FILE]

Prints the temporary memory in GiB as `compiled.memory_analysis()` reports it.
With --png it draws that without `remat` over the frames, as in figure 3b of
arXiv:1912.00869:

  python -m benchmarks.memory resnet50 blvnet_tam_50 --frames 8 16 32 64 \
    --png memory.png

Nothing is run, so a step larger than the device can be measured too. With --tpu
it compiles for one chip of a TPU, which need not be present, if the libtpu of
jax's own version is installed. On CPU XLA merges the second forward pass with
the first, and nothing is gained.
"""

import itertools
from typing import Any

import jax
import jax.numpy as jnp
from jax.experimental import topologies

import temporal_jax
from benchmarks.shared import results
from temporal_jax.evaluation import save_by_frames
from temporal_jax.models import find_model


def temporary_bytes(
  name: str,
  *,
  batch: int,
  frames: int,
  dtype: str,
  remat: bool,
  tpu: str | None = None,
  **kwargs,
) -> int:
  """Returns the temporary memory of a network's gradients, in bytes.

  Args:
    name: Name in the catalog; the network must not read texts.
    batch: Clips, B.
    frames: Frames of a clip, T.
    dtype: Dtype of the activations.
    remat: Whether blocks are computed again.
    tpu: Kind and chips of a TPU to compile for, e.g. "v5p:1x1x1"; by default
      the available device.
    **kwargs: Other arguments of `create_model`.
  """
  model = temporal_jax.create_model(
    name, num_classes=400, num_frames=frames, dtype=dtype, remat=remat, **kwargs
  )
  side = kwargs.get("image_size", find_model(name).clip_shape[1])
  clips = jax.ShapeDtypeStruct((batch, frames, side, side, 3), jnp.float32)
  variables = jax.eval_shape(model.init, jax.random.key(0), clips)

  def loss(params, rest, clips):
    (logits, _), state = model.apply(
      {"params": params, **rest},
      clips,
      train=True,
      rngs={"dropout": jax.random.key(0)},
      mutable=["batch_stats"],
    )
    return jnp.mean(jnp.square(logits)), state

  variables, clips = _placed((variables, clips), tpu)
  params = variables.pop("params")
  step = jax.jit(jax.grad(loss, has_aux=True)).trace(params, variables, clips)
  platforms = ("tpu",) if tpu else None
  compiled = step.lower(lowering_platforms=platforms).compile()
  return compiled.memory_analysis().temp_size_in_bytes


def _placed(shapes: Any, tpu: str | None) -> Any:
  """Places shapes on the first chip of a TPU, which need not be present."""
  if tpu is None:
    return shapes
  bounds = [int(side) for side in tpu.partition(":")[2].split("x")]
  topology = topologies.get_topology_desc(
    platform="tpu",
    topology_name=tpu,
    chips_per_host_bounds=(bounds + [1])[:3],
  )
  chip = jax.sharding.SingleDeviceSharding(topology.devices[0])
  return jax.tree.map(
    lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=chip), shapes
  )


def main(argv: list[str] | None = None) -> None:
  """Prints a line without `remat` and, where nothing is drawn, one with it."""
  parser = results.create_parser(__doc__)
  parser.add_argument("names", nargs="+", help="names in the catalog")
  parser.add_argument("--batch", type=int, default=8, help="clips")
  parser.add_argument(
    "--frames", type=int, nargs="+", default=[8], help="frames of a clip"
  )
  parser.add_argument("--dtype", default="bfloat16", help="dtype of the activations")
  parser.add_argument("--tpu", help="TPU to compile for, e.g. v5p:1x1x1")
  parser.add_argument("--side", type=int, dest="image_size", help="pixels of a frame")
  parser.add_argument("--png", help="picture of the memory without remat")
  settings = vars(parser.parse_args(argv))
  file = settings.pop("json")
  device = settings["tpu"] or jax.devices()[0].device_kind
  print(f"{device}: {settings}")
  names, lengths, png = (settings.pop(key) for key in ("names", "frames", "png"))
  if settings["image_size"] is None:
    del settings["image_size"]
  rows = []
  drawn: dict[str, dict[int, float]] = {}
  for name, frames in itertools.product(names, lengths):
    for remat in (False,) if png else (False, True):
      row = {"name": name, "frames": frames, "remat": remat, **settings}
      row["temporary_bytes"] = temporary_bytes(
        name, frames=frames, **settings, remat=remat
      )
      size = row["temporary_bytes"] / 2**30
      print(f"{name}, {frames} frames, remat={remat}: {size:.2f} GiB", flush=True)
      drawn.setdefault(name, {}).setdefault(frames, size)
      rows.append(row)
      results.write_json(file, {"machine": {"device": device}, "rows": rows})
  if png:
    save_by_frames(drawn, png, ylabel=f"memory, batch of {settings['batch']} (GiB)")


if __name__ == "__main__":
  main()
