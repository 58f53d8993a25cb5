r"""Converts published weights into the directory of a network.

  python -m convert_weights MODEL CHECKPOINT OUT
  python -m convert_weights DETECTOR CHECKPOINT OUT --features stride=4 \
    --features window=16
  python -m convert_weights inspect CHECKPOINT
  python -m convert_weights verify OUT

MODEL is a name of `temporal_jax.list_models()`, DETECTOR one of
`temporal_jax.localization.LOCALIZERS`, whose options `DETECTOR --help` lists.
CHECKPOINT is a .safetensors, .npz, .pt, .pth, .pyth, .bin or .ckpt file, one of
another ending that torch saved, a folder of `save_pretrained`, or an address
hf://org/name[@revision][/file]. OUT appears only when it is complete;
`train.py --config.init_from` reads it, or `temporal-jax localize`. `inspect`
shows which naming a checkpoint has and which networks it fits; `verify` reads
OUT again, compares the sha256 and runs one clip or sequence. Errors are one
message, with exit code 2.
"""

import argparse
import functools
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import rich.console
import rich.progress

from convert_weights import (
  changes,
  detectors,
  inspection,
  output,
  registry,
  report,
)
from convert_weights.apply import apply_plan
from convert_weights.labels import read_labels
from convert_weights.locate import locate_checkpoint
from convert_weights.options import (
  add_dry_run,
  add_labels,
  add_out,
  as_dict,
  key_and_value,
)
from convert_weights.plan import find_network, plan_conversion
from convert_weights.planning import causes
from convert_weights.reading import Checkpoint, read
from temporal_jax import hub, inference
from temporal_jax.display import error_message, tables
from temporal_jax.inference.runtime.override_schema import check_overrides
from temporal_jax.localization import LOCALIZERS
from temporal_jax.models import find_model
from temporal_jax.saved_networks.description import LOCALIZATION, described_task

_LARGE = 100e6  # Bytes from which progress is shown.


def main(arguments: Sequence[str]) -> None:
  """Runs one command; errors end it with one message and exit code 2."""
  command = arguments[0] if arguments else ""
  try:
    if command == "inspect":
      _inspect(_inspect_parser().parse_args(arguments[1:]))
    elif command == "verify":
      _verify(_verify_parser().parse_args(arguments[1:]).out)
    elif command in LOCALIZERS:
      detectors.convert(arguments)
    else:
      _convert(_parser().parse_args(arguments))
  except (ImportError, OSError, TypeError, ValueError) as error:
    print(error_message("convert_weights", error), file=sys.stderr)
    raise SystemExit(2) from None


def _convert(options: argparse.Namespace) -> None:
  console = tables.output_console()
  if options.out.exists() and not options.dry_run:
    raise FileExistsError(f"{options.out} exists already.")
  find_model(options.model)  # Before anything is downloaded.
  overrides = _overrides(options)
  class_names = read_labels(options.labels) if options.labels else ()
  located = locate_checkpoint(options.checkpoint)
  checkpoint = read(located.path, ema=options.ema, entry=options.entry)
  try:
    variables, description = _compute(
      options, overrides, checkpoint, class_names, located.address, console
    )
  except ValueError as error:
    raise ValueError(f"{options.checkpoint}: {error}") from None
  del checkpoint  # Its file need not stay in memory while OUT is written.
  if options.dry_run:
    console.print("dry run: nothing is written.")
    return
  inference.save_model(options.out, variables, description)
  console.print(f"wrote {options.out}", highlight=False)


def _compute(
  options: argparse.Namespace,
  overrides: Mapping[str, Any],
  checkpoint: Checkpoint,
  class_names: Sequence[str],
  address: hub.Address | None,
  console: rich.console.Console,
) -> tuple[dict[str, Any], dict[str, Any]]:
  """Plans, shows the plan and applies it.

  Returns:
    The variables, and their description for `model.json`.
  """
  plan = plan_conversion(
    options.model,
    checkpoint.tensors,
    source=options.source,
    prefix=options.prefix,
    num_classes=options.num_classes or len(class_names) or None,
    allow_missing=options.allow_missing,
    channels=options.channels,
    settings=checkpoint.settings,
    **overrides,
  )
  title = f"{plan.source.name} -> {plan.model_name}"
  console.print(report.table(title, plan.mapping, plan.target))
  remarks = (*plan.notes, *plan.interpolated, *plan.assumed)
  said = (*output.said(checkpoint, address), *remarks)
  for line in (*said, report.summary(plan.mapping)):
    console.print(line, highlight=False)
  description = output.describe(plan, checkpoint, class_names, address)
  size = sum(file.stat().st_size for file in checkpoint.files)
  variables = apply_plan(
    plan,
    checkpoint.tensors,
    allow_non_finite=options.allow_non_finite,
    inflation=options.inflation,
    progress=functools.partial(
      rich.progress.track, description="leaves", disable=size < _LARGE
    ),
  )
  return variables, description


def _overrides(options: argparse.Namespace) -> Mapping[str, Any]:
  """Returns the arguments of the network that were asked for.

  Raises:
    ValueError: If two options give one argument, or an argument is unknown or
      has a value that model.json may not hold.
  """
  given = [
    *options.set,
    *([("temporal", options.temporal)] if options.temporal else []),
  ]
  overrides = as_dict(given)
  check_overrides("--set", options.model, overrides)
  return overrides


def _verify(directory: str) -> None:
  is_detector = described_task(directory) == LOCALIZATION
  print((detectors if is_detector else output).verify(directory))


def _inspect(options: argparse.Namespace) -> None:
  located = locate_checkpoint(options.checkpoint)
  checkpoint = read(located.path, ema=options.ema, entry=options.entry)
  tensors = checkpoint.tensors
  lines = output.said(checkpoint, located.address)
  print(f"{len(tensors)} tensors.", *lines, sep="\n")
  if lines := [*detectors.inspect(tensors)]:
    print(*lines, sep="\n")
    return
  try:
    stripped = find_network(tensors, prefix=options.prefix)
    sources = registry.recognise(stripped.tensors)
    if not sources:
      raise ValueError(causes.unknown(stripped.tensors))
  except ValueError as error:
    raise ValueError(f"{options.checkpoint}: {error}") from None
  for line in stripped.notes:
    print(line)
  for name, places in checkpoint.settings.items():
    for one in places:
      print(f"{one.where} has {name} {one.value}.")
  for source in sources:
    print(f"source {source.name}: the naming of {source.origin}.")
  found = list(inspection.candidates(stripped.tensors, checkpoint.settings))
  for one, apart in zip(found, inspection.distinctions(found), strict=True):
    mapping = one.plan.mapping
    counts = f"{len(mapping.steps)} leaves, {len(mapping.new)} new"
    print(f"  {one.command}: {counts}{apart and f'; {apart}'}.")
  if not found:
    print(
      "No network of the catalog fits as it is; converting into one of them "
      "lists what differs, and --set gives it other arguments."
    )
  for line in dict.fromkeys(x for one in found for x in one.plan.assumed):
    print(line)


def _parser() -> argparse.ArgumentParser:
  head, _, tail = __doc__.partition("\n\n")
  parser = argparse.ArgumentParser(
    prog="python -m convert_weights",
    description=head,
    epilog=tail,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )
  parser.add_argument("model", metavar="MODEL", help="name in the catalog")
  _add_checkpoint(parser)
  add_out(parser)
  parser.add_argument(
    "--num-classes",
    type=_positive,
    help="number of classes, other than the checkpoint has",
  )
  add_labels(parser)
  parser.add_argument(
    "--allow-missing",
    metavar="GLOB",
    action="append",
    default=[],
    help="leaves that may stay new, e.g. 'head/*'",
  )
  parser.add_argument(
    "--allow-non-finite",
    metavar="GLOB",
    action="append",
    default=[],
    help="tensors that may hold NaN or infinity",
  )
  add_dry_run(parser)
  parser.add_argument("--source", help=f"one of {', '.join(registry.SOURCES)}")
  parser.add_argument(
    "--set",
    metavar="KEY=VALUE",
    type=key_and_value,
    action="append",
    default=[],
    help="argument of create_model, e.g. image_size=336",
  )
  parser.add_argument(
    "--temporal",
    metavar="OPERATOR",
    help='temporal operator, e.g. "aggregation(taps=5)"; like --set temporal=',
  )
  parser.add_argument(
    "--inflation",
    choices=changes.INFLATIONS,
    default="centre",
    help="way of inflating image kernels along time",
  )
  parser.add_argument(
    "--channels",
    type=_positive,
    default=3,
    help="channels of a frame, 10 for optical flow",
  )
  return parser


def _inspect_parser() -> argparse.ArgumentParser:
  parser = argparse.ArgumentParser(prog="python -m convert_weights inspect")
  _add_checkpoint(parser)
  return parser


def _verify_parser() -> argparse.ArgumentParser:
  parser = argparse.ArgumentParser(prog="python -m convert_weights verify")
  parser.add_argument("out", metavar="OUT", help="a converted network")
  return parser


def _add_checkpoint(parser: argparse.ArgumentParser) -> None:
  parser.add_argument("checkpoint", metavar="CHECKPOINT")
  parser.add_argument("--ema", action="store_true", help="take the moving averages")
  parser.add_argument(
    "--entry",
    metavar="NAME",
    help="entry of the file with the weights, e.g. 'teacher'",
  )
  parser.add_argument(
    "--prefix",
    metavar="NAME",
    help="first part of the network's names, e.g. 'model.'",
  )


def _positive(text: str) -> int:
  number = int(text)
  if number < 1:
    raise argparse.ArgumentTypeError(f"{text} is not positive")
  return number


if __name__ == "__main__":
  main(sys.argv[1:])
