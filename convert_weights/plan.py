"""What is to be done with a checkpoint, told from shapes alone."""

import fnmatch
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import flax.traverse_util as trees
import jax
import jax.numpy as jnp
import numpy as np

import temporal_jax
from convert_weights import changes
from convert_weights.checkpoint_format import CheckpointFormat
from convert_weights.planning import arguments, heads, mapping
from convert_weights.planning.mapping import NOTHING
from convert_weights.reading import Settings
from temporal_jax import models
from temporal_jax.models.inspect.variables import differing
from temporal_jax.models.network import Network

Shapes = dict[str, Any]


class Proposal(NamedTuple):
  """How a checkpoint becomes the variables of a network.

  Attributes:
    model_name: Name of the network in the catalog.
    overrides: Arguments of `create_model` that differ from the row's, and the
      activation where the tensors do not show it.
    num_classes: Classes of the network; None if it ends with features.
    source: The naming of the tensors.
    network: The network.
    clip_shape: (T, H, W, C) of its clips.
    target: Its variables, as shapes.
    plan: How each of them is made, and what does not fit.
    notes: What the user should know, a line each.
    prefix: What was removed from the names of the tensors, for `source`.
    assumed: What nobody said of the network and was assumed, likewise.
    pixels: (mean, std) of R, G and B, of values in [0, 1].
  """

  model_name: str
  overrides: dict[str, Any]
  num_classes: int | Mapping[str, int] | None
  source: CheckpointFormat
  network: Network
  clip_shape: tuple[int, int, int, int]
  target: Shapes
  plan: mapping.Plan
  notes: tuple[str, ...]
  prefix: str = ""
  assumed: tuple[str, ...] = ()
  pixels: tuple[Sequence[float], Sequence[float]] = ((), ())


def propose(
  model_name: str,
  tensors: Mapping[str, Any],
  *,
  sources: Sequence[CheckpointFormat],
  num_classes: int | Mapping[str, int] | None = None,
  allow_missing: Sequence[str] = (),
  channels: int = 3,
  settings: Settings = NOTHING,
  **model_overrides: Any,
) -> Proposal:
  """Plans a conversion from the source whose names fit best.

  Args:
    model_name: See `convert`.
    tensors: Arrays, or their shapes and dtypes.
    sources: What the naming of the tensors may be.
    num_classes: See `convert`.
    allow_missing: See `convert`.
    channels: See `convert`.
    settings: See `convert`.
    **model_overrides: See `convert`.

  Raises:
    ValueError: If there is no such network, it takes the weights of none of the
      sources, a pattern in `allow_missing` matches no leaf, or the checkpoint
      says something else of the network than was asked for.
  """
  shape = clip_shape(model_name, model_overrides, channels)
  asked = temporal_jax.create_model(model_name, num_classes=1, **model_overrides)
  proposals = []
  for source in sources:
    if source.takes(asked):
      settled = arguments.settle(
        model_name,
        asked,
        source,
        tensors=tensors,
        settings=settings,
        overrides=model_overrides,
      )
      one = _propose_from(
        source, model_name, shape, tensors, settled, num_classes, allow_missing
      )
      pixels, said = _pixels(one, settings)
      proposals.append(one._replace(pixels=pixels, notes=(*one.notes, *said)))
  if not proposals:
    origins = ", ".join(f"{s.origin} (source {s.name!r})" for s in sources)
    raise ValueError(f"{model_name} does not take the weights of {origins}.")
  best = min(proposals, key=_distance)
  if "representation" in model_overrides or not _lacks_layer(best):
    return best
  # Most classifiers were published without that layer.
  without = propose(
    model_name,
    tensors,
    sources=[best.source],
    num_classes=num_classes,
    allow_missing=allow_missing,
    channels=channels,
    settings=settings,
    representation=None,
    **model_overrides,
  )
  note = "representation=None: the weights have no layer before the classes."
  return without._replace(notes=(note, *without.notes))


def _propose_from(
  source: CheckpointFormat,
  model_name: str,
  shape: tuple[int, int, int, int],
  tensors: Mapping[str, Any],
  settled: arguments.Arguments,
  num_classes: int | Mapping[str, int] | None,
  allow_missing: Sequence[str],
) -> Proposal:
  """Plans a conversion from one source."""
  built = {}

  def build(classes: Any) -> tuple[Network, Shapes] | None:
    if str(classes) not in built:
      built[str(classes)] = build_network(
        model_name, shape, num_classes=classes, **settled.overrides
      )
    return built[str(classes)]

  found = heads.count_tasks(source, tensors) or heads.count_classes(
    build(1)[1], source.rules(build(1)[0]), tensors
  )
  wanted = found if num_classes is None else num_classes
  network, target = build(wanted) or build(1)
  naming, notes = source, settled.notes
  if found is not None and wanted != found:
    naming = heads.without(source, network, differing(build(found)[1], target), found)
    notes += (f"the head starts anew: {wanted} classes, {found} in the checkpoint.",)
  elif wanted is None and not hasattr(network, "encode_text"):
    notes += ("no classifier in the checkpoint: the network gives features.",)
  plan = mapping.plan(
    naming.rules(network),
    tensors,
    target,
    skip=naming.skip,
    new={**naming.new, **_allowed(allow_missing, target)},
  )
  if build(wanted) is None:
    lacking = "- a classifier, which the network needs: give num_classes"
    plan = plan._replace(problems=(lacking, *plan.problems))
  return Proposal(
    model_name=model_name,
    overrides=settled.overrides,
    num_classes=wanted,
    source=source,
    network=network,
    clip_shape=shape,
    target=target,
    plan=plan,
    notes=(*notes, *_stem_notes(plan, tensors, target)),
    assumed=settled.assumed,
  )


def _distance(todo: Proposal) -> tuple[int, int]:
  """Returns how many names do not fit, and how many problems there are."""
  problems = todo.plan.problems
  return sum(line[0] != "!" for line in problems), len(problems)


def _lacks_layer(todo: Proposal) -> bool:
  """Whether weights lack kernel and bias of the layer before the classes."""
  leaves = {"params/representation/bias", "params/representation/kernel"}
  lost = {line.split(" ")[1] for line in todo.plan.problems if line[0] == "-"}
  return leaves <= lost


def _stem_notes(
  plan: mapping.Plan, tensors: Mapping[str, Any], target: Shapes
) -> Iterator[str]:
  """Says which stem is made for another number of channels."""
  leaves = trees.flatten_dict(target, sep="/")
  for step in plan.steps:
    shape = leaves[step.leaf].shape
    (name, *_) = step.tensors
    if step.rule.change is changes.inflate_stem and len(shape) > 1:
      found = tensors[name].shape[1]  # (C', C, ...)
      if found != shape[-2]:
        yield (
          f"{step.leaf} is the mean over the {found} channels of {name}, for "
          f"each of the {shape[-2]} channels."
        )


def clip_shape(
  model_name: str, overrides: Mapping[str, Any], channels: int
) -> tuple[int, int, int, int]:
  """Returns (T, H, W, C) of the clips a network is built for."""
  frames, height, width = models.find_model(model_name).clip_shape
  side = overrides.get("image_size")
  frames = overrides.get("num_frames") or frames
  return frames, side or height, side or width, channels


def _pixels(
  todo: Proposal, settings: Settings
) -> tuple[tuple[Sequence[float], Sequence[float]], tuple[str, ...]]:
  """Returns the statistics of pixels, and what is to be said of them.

  A network that is the file's whole takes the file's; a video network that
  starts from images keeps those that its paper trains it with.
  """
  spec = models.find_model(todo.model_name)
  own = spec.mean, spec.std
  is_whole = all("/head/" in leaf for leaf in todo.plan.new)
  said = next(iter(settings.get("pixels", ())), None)
  if said is None and todo.source.pixels and is_whole:
    return own, (
      f"the file does not say its pixels: model.json has mean {list(own[0])} "
      f"and std {list(own[1])}. {todo.source.pixels}",
    )
  if said is None or np.allclose(own, said.value, atol=1e-3):
    return own, ()
  mean, std = (list(values) for values in said.value)
  given = f"{said.where} says that pixels have mean {mean} and std {std}"
  if not is_whole:
    return own, (
      f"{given}; {todo.model_name} has mean {list(own[0])} and std "
      f"{list(own[1])}, with which it is trained.",
    )
  return said.value, (f"{given}: model.json has these.",)


def build_network(
  model_name: str,
  shape: tuple[int, int, int, int],
  *,
  num_classes: int | Mapping[str, int] | None,
  **overrides: Any,
) -> tuple[Network, Shapes] | None:
  """Returns a network and its variables, as shapes.

  Returns None if it ends with a classifier and `num_classes` is None.
  """
  clip = jax.ShapeDtypeStruct((1, *shape), jnp.float32)
  try:
    network = temporal_jax.create_model(
      model_name, num_classes=num_classes, **overrides
    )
    return network, jax.eval_shape(network.init, jax.random.key(0), clip)
  except (TypeError, ValueError):
    if num_classes is not None:
      raise
    return None


def _allowed(globs: Sequence[str], target: Shapes) -> dict[str, str]:
  """Returns the expressions of leaves that may be missing -> the reason.

  A pattern is matched with and without the name of the collection.

  Raises:
    ValueError: If one matches no leaf.
  """
  leaves = trees.flatten_dict(target, sep="/")
  allowed = {}
  for glob in globs:
    regex = rf"(?:[^/]+/)?{fnmatch.translate(glob)}"
    if not any(re.fullmatch(regex, leaf) for leaf in leaves):
      raise ValueError(
        f"{glob!r} may be missing, but matches no leaf; they are "
        f"{sorted(leaves)[:3]} and {len(leaves) - 3} more."
      )
    allowed[regex] = f"missing, allowed by {glob!r}"
  return allowed
