r"""Converts the weights of a published detector of segments.

  python -m convert_weights bmn CHECKPOINT OUT --features stride=16 \
    --features window=32

The moving average of the weights is taken if the checkpoint has one. OUT is
the input of `temporal-jax localize` and `temporal_jax.Localizer`. The kind of
its features is in no checkpoint: stride and window, in frames, must be given;
the network that made them, and the name of its output, may be.
"""

import argparse
import dataclasses
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from convert_weights import output, report
from convert_weights.labels import read_labels
from convert_weights.localizers import (
  LocalizerPlan,
  apply_localizer_plan,
  fitting_localizers,
  plan_localizer,
  read_localizer,
)
from convert_weights.locate import locate_checkpoint
from convert_weights.options import (
  add_dry_run,
  add_labels,
  add_out,
  as_dict,
  key_and_value,
)
from convert_weights.reading import Checkpoint
from temporal_jax import hub
from temporal_jax.display import tables
from temporal_jax.localization import (
  SequenceFormat,
  describe_detector,
  find_localizer,
  load_detector,
  save_detector,
)
from temporal_jax.localization.detector.saved_detector import (
  read_detector_description,
)
from temporal_jax.localization.features import FeatureKind
from temporal_jax.lookup import unknown_name

_NEEDED = ("stride", "window")


def convert(arguments: Sequence[str]) -> None:
  """Converts a checkpoint into a detector.

  Args:
    arguments: The command line, MODEL first.

  Raises:
    FileExistsError: If OUT exists.
    ValueError: If anything does not fit; all of it is listed.
  """
  options = _parser().parse_args(arguments)
  console = tables.output_console()
  if options.out.exists() and not options.dry_run:
    raise FileExistsError(f"{options.out} exists already.")
  class_names = read_labels(options.labels) if options.labels else ()
  settings = as_dict(options.features)
  located = locate_checkpoint(options.checkpoint)
  checkpoint, note = read_localizer(located.path)
  try:
    given = {key: _frozen(value) for key, value in as_dict(options.set).items()}
    plan = plan_localizer(options.model, checkpoint.tensors, **given)
    kind = _feature_kind(plan.channels, settings)
    title = f"{plan.naming.origin} -> {plan.name}"
    console.print(report.table(title, plan.mapping, plan.target))
    notes = (note, *plan.notes)
    said = output.said(checkpoint, located.address)
    for line in (*said, *notes, report.summary(plan.mapping)):
      console.print(line, highlight=False)
    variables = apply_localizer_plan(plan, checkpoint.tensors)
    description = _describe(plan, checkpoint, kind, class_names, notes, located.address)
  except (TypeError, ValueError) as error:
    raise ValueError(f"{options.checkpoint}: {error}") from None
  if options.dry_run:
    console.print("dry run: nothing is written.")
    return
  save_detector(options.out, variables, description)
  console.print(f"wrote {options.out}", highlight=False)


def inspect(tensors: Mapping[str, Any]) -> Iterator[str]:
  """Yields lines about detectors that a checkpoint fits; none for others."""
  origin, plans = fitting_localizers(tensors)
  if not origin:
    return
  yield f"a detector of segments: the naming of {origin}."
  facts = [dataclasses.asdict(plan.network) for plan in plans]
  for plan, own in zip(plans, facts, strict=True):
    mapping = plan.mapping
    # The tensors do not decide between these: users must know it.
    apart = [k for k in own if any(own[k] != other.get(k) for other in facts)]
    words = ", ".join(f"{key} {own[key]}" for key in apart)
    counts = f"{len(mapping.steps)} leaves, {len(mapping.new)} new"
    yield f"  {plan.name}: {counts}{words and f'; {words}'}."
  if not plans:
    yield (
      "No detector of the catalog fits as it is; converting into one of them "
      "lists what differs, and --set gives it other arguments."
    )


def verify(directory: str | pathlib.Path) -> str:
  """Reads a detector again, compares it and runs one sequence.

  Returns:
    The result of the comparison and of the run, in a line.

  Raises:
    ValueError: See `load_detector`; or if a forward pass gives NaN or infinity.
  """
  detector = load_detector(directory)  # Compares files with their list.
  description = read_detector_description(directory)
  name = description["model"]
  values = output.compare_values(directory, detector.variables, description)
  shape = (1, detector.form.length, description["features"]["width"])
  inputs = [np.zeros(shape, np.float32)]
  if hasattr(detector.network, "padded_length"):
    length = detector.network.padded_length(shape[1])
    inputs = [np.zeros((1, length, shape[2]), np.float32), np.ones((1, length), bool)]
  out = jax.jit(detector.network.apply)(detector.variables, *inputs)
  if not all(np.isfinite(x).all() for x in jax.tree.leaves(out)):
    raise ValueError(f"{name} in {directory} gives NaN or infinity.")
  return f"{name}: {values} as written; a sequence {inputs[0].shape} gives numbers."


def _describe(
  plan: LocalizerPlan,
  checkpoint: Checkpoint,
  kind: FeatureKind,
  class_names: Sequence[str],
  notes: Sequence[str],
  address: hub.Address | None,
) -> dict[str, Any]:
  """Returns the description of a conversion for `model.json`."""
  entry = find_localizer(plan.name)
  return describe_detector(
    plan.name,
    overrides=plan.overrides,
    num_classes=plan.num_classes,
    class_names=class_names,
    feature_kind=kind,
    form=_with_length(entry.sequences, plan.length),
    decoding=entry.decoding,
    source=output.source(checkpoint, plan.naming.origin, address),
    report=report.as_json(plan.mapping, notes),
  )


def _with_length(form: SequenceFormat, length: int) -> SequenceFormat:
  """Returns sequences of another length; windows overlap as much as before."""
  step = form.step * length // form.length
  return dataclasses.replace(form, length=length, step=step)


def _feature_kind(channels: int, settings: Mapping[str, Any]) -> FeatureKind:
  """Returns the kind of features that the command line describes.

  Raises:
    ValueError: If stride or window is missing, or a name is unknown.
  """
  known = [name for name in FeatureKind._fields if name != "width"]
  for name in settings:
    if name not in known:
      raise ValueError(f"--features: {unknown_name(name, known, 'setting')}")
  for name in _NEEDED:
    value = settings.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
      raise ValueError(
        f"--features {name}=FRAMES must be given, above 0, got {value!r}: it is in "
        "no checkpoint."
      )
  return FeatureKind(channels, **settings)


def _frozen(value: Any) -> Any:
  """Returns lists as tuples: a network is hashed with its arguments."""
  return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _parser() -> argparse.ArgumentParser:
  head, _, tail = __doc__.partition("\n\n")
  parser = argparse.ArgumentParser(
    prog="python -m convert_weights",
    description=head,
    epilog=tail,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )
  parser.add_argument("model", metavar="MODEL", help="name of a detector")
  parser.add_argument("checkpoint", metavar="CHECKPOINT")
  add_out(parser)
  settings = [name for name in FeatureKind._fields if name != "width"]
  parser.add_argument(
    "--features",
    metavar="KEY=VALUE",
    type=key_and_value,
    action="append",
    default=[],
    help=f"settings of the features: {', '.join(settings)}",
  )
  add_labels(parser)
  parser.add_argument(
    "--set",
    metavar="KEY=VALUE",
    type=key_and_value,
    action="append",
    default=[],
    help="argument of create_localizer, e.g. windows=9",
  )
  add_dry_run(parser)
  return parser
