r"""Times localization networks against the same networks in torch.

  python -m benchmarks.localization [PATTERN ...] [--json FILE] [--seconds S]

Inference and a training step of BMN and ActionFormer, one film of features.
The loss of a training step is the mean square of all results, and gradients are
for all parameters. Both libraries run in one process, in turns, with the same
weights. The table has medians in milliseconds and median ratios (above
1: ours is faster), and the differences of results and of the gradients' norm.
"""

import fnmatch
import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import torch

from benchmarks.reference import localization as reference
from benchmarks.shared import machine, network_sides, results, timing
from convert_weights.apply import apply_rules
from convert_weights.formats import actionformer, bmn
from temporal_jax.localization import create_localizer
from temporal_jax.localization.networks import boundary_matching

_TOLERANCE = 1e-3  # For results; gradients may differ ten times as much.


class Case(NamedTuple):
  """A network in both libraries.

  Attributes:
    name: Name of the network, and its size.
    localizer: Name in `LOCALIZERS`.
    arguments: Arguments of `create_localizer`.
    shape: Positions and channels of the features.
    has_mask: Whether the network takes a mask of the positions.
  """

  name: str
  localizer: str
  arguments: dict[str, Any]
  shape: tuple[int, int]
  has_mask: bool = False


CASES = (
  Case("bmn 100 x 100", "bmn", {"num_classes": None}, (100, 2304)),
  Case("bmn 200 x 200", "bmn", {"num_classes": None}, (200, 2304)),
  Case(
    name="actionformer, THUMOS14",
    localizer="actionformer",
    arguments={"num_classes": 20, "drop_path": 0.0},
    shape=(2304, 2048),
    has_mask=True,
  ),
)


def measure(case: Case, seconds: float) -> dict[str, Any]:
  """Measures one network and checks that both compute the same.

  Raises:
    ValueError: If results or gradients differ.
  """
  network = _theirs(case)
  features = np.random.default_rng(0).standard_normal((1, *case.shape), np.float32)
  mask = np.arange(case.shape[0])[None] < case.shape[0] * 3 // 4
  inputs = [features]
  if case.has_mask:
    inputs = [features * mask[..., None], mask]
  ours = _ours(case, network, inputs)
  theirs = _run_theirs(network, inputs)
  mine, other = ours[0].run(), theirs[0]()
  # Over all results together: offsets of one level may all be zero.
  mine = np.concatenate([np.ravel(x) for x in mine])
  difference = network_sides.difference(mine, torch.cat([x.ravel() for x in other]))
  mine, other = ours[1].run(), theirs[1]()
  squares = sum(np.vdot(x, x) for x in map(np.asarray, jax.tree.leaves(mine[1])))
  wanted = sum(x.double().square().sum() for x in other[1]).sqrt()
  gradients = network_sides.difference(np.sqrt(squares), wanted)
  if not (difference < _TOLERANCE and gradients < 10 * _TOLERANCE):
    raise ValueError(
      f"{case.name}: results differ by {difference:.1e}, gradients by {gradients:.1e}."
    )
  times = [
    timing.side_by_side(
      one.run, two, seconds=seconds, turns=(2, 20), repeats=1
    )._asdict()
    for one, two in zip(ours, theirs, strict=True)
  ]
  return {
    "name": case.name,
    "inference": times[0],
    "training": times[1],
    "compile_seconds": {"inference": ours[0].seconds, "training": ours[1].seconds},
    "difference": difference,
    "gradient_difference": gradients,
  }


def _theirs(case: Case) -> torch.nn.Module:
  """Makes the network in torch; scales of branches are near 1."""
  torch.manual_seed(0)
  length, channels = case.shape
  if case.has_mask:
    network = reference.ActionFormer(channels)
    with torch.no_grad():
      for name, tensor in network.named_parameters():
        if name.endswith(("_attn.scale", "_mlp.scale")):
          tensor.add_(1)
    return network
  samples = boundary_matching.place_samples(length)
  mask = boundary_matching.sample_mask(samples, length)
  return reference.Bmn(torch.from_numpy(mask), channels)


def _ours(
  case: Case, network: torch.nn.Module, inputs: Sequence[np.ndarray]
) -> tuple[network_sides.Compiled, network_sides.Compiled]:
  """Compiles our inference and our training step, with the same weights."""
  model = create_localizer(case.localizer, **case.arguments)
  shapes = jax.eval_shape(model.init, jax.random.key(0), *inputs)
  rules = (actionformer if case.has_mask else bmn).network(model)
  tensors = {k: v.numpy() for k, v in network.state_dict().items()}
  skip = (r"head\.sample_mask",)
  variables = jax.device_put(apply_rules(rules, tensors, shapes, skip=skip))
  inputs = jax.device_put(list(inputs))

  def run(variables: dict, *inputs: jax.Array, train: bool) -> list[jax.Array]:
    out = model.apply(variables, *inputs, train=train)
    if case.has_mask:
      both = [x for level in out for x in (level["logits"], level["offsets"])]
      return [jnp.swapaxes(x, 1, 2) for x in both]
    return [out["start"], out["end"], jnp.moveaxis(out["confidence"], 3, 1)]

  def loss(variables: dict, *inputs: jax.Array) -> jax.Array:
    return sum(jnp.mean(jnp.square(x)) for x in run(variables, *inputs, train=True))

  infer = functools.partial(run, train=False)
  return (
    network_sides.compile_ahead(infer, variables, *inputs),
    network_sides.compile_ahead(jax.value_and_grad(loss), variables, *inputs),
  )


def _run_theirs(
  network: torch.nn.Module, inputs: Sequence[np.ndarray]
) -> tuple[Callable[[], Any], Callable[[], Any]]:
  """Returns torch's inference and its training step."""
  features, *masks = (torch.from_numpy(x) for x in inputs)
  features = features.transpose(1, 2).contiguous()
  masks = [mask[:, None].float() for mask in masks]
  parameters = list(network.parameters())

  def infer() -> Sequence[torch.Tensor]:
    with torch.no_grad():
      return network(features, *masks)

  def train() -> tuple[torch.Tensor, tuple]:
    loss = sum(x.square().mean() for x in network(features, *masks))
    return loss, torch.autograd.grad(loss, parameters)

  return infer, train


_COLUMNS = (
  "network",
  "inference ms",
  "torch ms",
  "ratio",
  "training ms",
  "torch ms",
  "ratio",
  "compile s",
  "training s",
  "difference",
  "gradients",
)


def _cells(result: dict[str, Any]) -> tuple[str, ...]:
  seconds = result["compile_seconds"]
  return (
    result["name"],
    *results.time_cells(result["inference"]),
    *results.time_cells(result["training"]),
    f"{seconds['inference']:.1f}",
    f"{seconds['training']:.1f}",
    f"{result['difference']:.0e}",
    f"{result['gradient_difference']:.0e}",
  )


def main(argv: list[str] | None = None) -> None:
  """Measures, prints the table and writes the JSON file after every row."""
  parser = results.create_parser(__doc__)
  parser.add_argument("patterns", nargs="*", metavar="PATTERN", help="all by default")
  parser.add_argument("--seconds", type=float, default=2.0, help="per timing")
  options = parser.parse_args(argv)
  table, rows = results.ResultTable(_COLUMNS), []
  for case in CASES:
    if any(fnmatch.fnmatch(case.name, p) for p in options.patterns or ["*"]):
      rows.append(measure(case, options.seconds))
      table.add(*_cells(rows[-1]))
      report = {"machine": machine.describe(), "rows": rows}
      results.write_json(options.json, report)
      network_sides.free_memory()


if __name__ == "__main__":
  main()
