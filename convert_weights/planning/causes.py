"""Explains misfitting weights: one line per cause instead of one per tensor."""

import itertools
import math
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import flax.traverse_util as trees

import temporal_jax
from convert_weights import registry
from convert_weights.changes import RESIZES
from convert_weights.planning.conversion_plan import NO_CLASSIFIER, ConversionPlan
from convert_weights.planning.mapping import Step
from convert_weights.planning.networks import fitting_arguments
from convert_weights.rules import tensor_expression
from temporal_jax.models import MODELS
from temporal_jax.models.blocks.positions import count_places
from temporal_jax.models.network import Network

_MOST_LINES = 12
_MOST_NETWORKS = 6
_FEW = 3  # Lines where another row of the catalog takes the weights.
_MOST_TRACED = 12  # Rows that are tried; each takes up to half a second.
# Leaves that must share a factor before it is called a width: one or two are
# damaged rather than of another network.
_MANY = 3
_AXIS = re.compile(r"\([^)]*\)|\S+")
_UNIT = re.compile(r"(?P<kind>.*?(?:stage\d+_)?block|.*?layer)(?P<n>\d+)(?=[/_]).*")
_NUMBER = re.compile(r"(?<=block)\d+|(?<=stage)\d+|(?<=layer)\d+|(?<=\.)\d+(?=\.)")
_STEM = "(patch_embedding|stem(_|/)conv)"
_NEW_HEAD = (
  "num_classes and allow_missing 'head/*' (--num-classes N --allow-missing "
  "'head/*') give a new classifier."
)
_GROUPS = "channels that one filter sees (grouped convolutions: ResNeXt)"
# Leaf and axis of the tensor -> name of the axis, and the network's attribute.
_ROLES = (
  (r".*head/.*|.*classifier/.*", r"o|c", "classes", ""),
  (r".*patch_embedding/kernel", "h|w", "patch size", "patch_size"),
  (rf".*{_STEM}/kernel", "h|w", "size of the stem's kernel", ""),
  (rf".*{_STEM}/kernel", "t", "frames of a kernel", ""),
  (rf".*{_STEM}/kernel", "i", "channels of a frame", ""),
  (r".*temporal_embedding|.*integration/position", "n|t", "frames", ""),
  (r".*position_embedding", "n", "positions", ""),
  (r".*token_embedding/.*", "v", "words of the vocabulary", ""),
  (".*", ".*", "width", "width"),
)


class NoClassifierError(ValueError):
  """The weights fit, but the network needs a classifier and they have none."""


class _Difference(NamedTuple):
  """One axis of one tensor that has another length than the network wants."""

  role: str
  attribute: str
  found: int
  wanted: int
  step: Step


class _Cause(NamedTuple):
  """One line, the problems it explains, and attributes of a fitting network."""

  text: str
  heads: frozenset[str]
  attributes: Mapping[str, Any]


def check(plan: ConversionPlan, tensors: Mapping[str, Any]) -> None:
  """Raises ValueError if a plan has problems, with a line per cause.

  Args:
    plan: The conversion.
    tensors: Arrays, or their shapes, by the names that its rules know.

  Raises:
    NoClassifierError: If nothing but a classifier is missing.
    ValueError: If there are other problems.
  """
  mapping = plan.mapping
  used = {name for step in mapping.steps for name in step.tensors}
  if not used or (not registry.recognise(tensors) and 2 * len(used) < len(tensors)):
    nearest = (
      f" The nearest is {plan.source.name}; it does not use "
      f"{len(tensors) - len(used)} of them."
    )
    raise ValueError(unknown(tensors, plan.model_name) + nearest * bool(used))
  if not mapping.problems:
    return
  found = _block_kind(plan) or [*_sizes(plan, tensors), *_depths(plan)]
  explained = {head for cause in found for head in cause.heads}
  rest = [line for line in mapping.problems if _head(line) not in explained]
  lines = [*(cause.text for cause in found), *_collapsed(rest)]
  if len(lines) > _MOST_LINES:
    more = len(lines) - _MOST_LINES
    lines = [*lines[:_MOST_LINES], f"... and {more} lines more."]
  if any(line.startswith("- params/head/") for line in rest):
    lines.append(_NEW_HEAD)
  if fitting := _fitting(plan, found):
    lines.append(f"networks of these sizes: {', '.join(fitting)}.")
  elif rest and (fitting := _rows_of(plan, tensors)):
    lines = [*lines[:_FEW], *["..."] * (len(lines) > _FEW)]
    lines.append(f"these are weights of {' or '.join(fitting)}.")
  listed = "\n".join(lines)
  lacks_classifier = mapping.problems == (NO_CLASSIFIER,)
  error = NoClassifierError if lacks_classifier else ValueError
  raise error(f"the weights do not fit {plan.model_name}:\n{listed}")


def unknown(tensors: Collection[str], name: str = "") -> str:
  """Returns the message about names of tensors that are of no source.

  Args:
    tensors: The names.
    name: Name of the network they are for, if there is one.
  """
  return (
    f"the names of the {len(tensors)} tensors, from {min(tensors)!r} on, are "
    f"of no source{name and f' for {name}'}; known are "
    f"{', '.join(registry.SUPPORTED)}."
  )


def _head(line: str) -> str:
  """Returns kind and name of a problem, e.g. "- params/norm/scale"."""
  return line.split(" (")[0]


def _sizes(plan: ConversionPlan, tensors: Mapping[str, Any]) -> Iterator[_Cause]:
  """Yields the sizes of which tensors and network have others."""
  leaves = trees.flatten_dict(plan.target, sep="/")
  wrong = {_head(line) for line in plan.mapping.problems if line[0] == "!"}
  lines = {_head(line): line for line in plan.mapping.problems}
  differences = [
    one
    for step in plan.mapping.steps
    if f"! {step.leaf}" in wrong
    for one in _differences(step, tensors, leaves[step.leaf].shape)
  ]
  by_role: dict[tuple[str, float], list[_Difference]] = {}
  for one in differences:
    # Widths that are multiples of each other have one cause.
    factor = one.found / one.wanted if one.role == "width" else 0.0
    by_role.setdefault((one.role, factor), []).append(one)
  for (role, _), group in by_role.items():
    heads = frozenset(f"! {one.step.leaf}" for one in group)
    is_size = role in ("width", _GROUPS)
    if role == "classes" or (is_size and len(heads) < _MANY):
      continue
    pairs = Counter((one.found, one.wanted) for one in group)
    found, wanted = pairs.most_common(1)[0][0]
    times = f", in {len(heads)} leaves" if len(heads) > 1 else ""
    text = (
      f"{role}: {_size(role, found)} in the weights, {_size(role, wanted)} in "
      f"{plan.model_name}{times}, e.g.\n  {lines[_example(heads)]}"
    )
    attribute = group[0].attribute
    yield _Cause(text, heads, {attribute: found} if attribute else {})


def _example(heads: Collection[str]) -> str:
  """Returns the problem that is recognised first: of a stem, or a kernel."""

  def order(head: str) -> tuple[bool, bool, bool, str]:
    is_kernel = "conv" in head or "kernel" in head
    return (
      not re.search(_STEM, head),
      "batch_stats" in head,
      not is_kernel,
      head,
    )

  return min(heads, key=order)


def _size(role: str, size: int) -> str:
  if role != "positions" or not _is_grid(size):
    return str(size)
  _, side = count_places(size)
  return f"{size} ({side} x {side} patches)"


def _is_grid(positions: int) -> bool:
  """Whether positions are for a square of patches, and maybe a class token."""
  try:
    return bool(count_places(positions))
  except ValueError:
    return False


def _is_resized(found: int, wanted: int) -> bool:
  """Whether positions become those of another grid."""
  grids = _is_grid(found) and _is_grid(wanted)
  return grids and count_places(found)[0] == count_places(wanted)[0]


def _differences(
  step: Step, tensors: Mapping[str, Any], shape: tuple[int, ...]
) -> Iterator[_Difference]:
  """Yields the axes of a step's tensors with other lengths than wanted."""
  left, right = step.rule.pattern.split("->")
  axes, made = _AXIS.findall(left), right.split()
  if len(step.tensors) > 1:
    axes = axes[1:]
  # A leaf may have more axes first, of time.
  lengths = dict(zip(reversed(made), reversed(shape), strict=False))
  if step.rule.picks is not None:
    lengths[made[0]] = step.rule.picks.count
  for name in step.tensors:
    if len(tensors[name].shape) != len(axes):
      return
    sizes = {
      axis: (found, _length(axis, lengths))
      for axis, found in zip(axes, tensors[name].shape, strict=True)
    }
    is_stem = re.search(_STEM, step.leaf)
    grouped = "h" in sizes and not is_stem and _is_grouped(sizes)
    for axis, (found, wanted) in sizes.items():
      resized = step.rule.change in RESIZES and axis == "n"
      if found == wanted or not found or (resized and _is_resized(found, wanted)):
        continue
      role, attribute = _role(step.leaf, axis)
      if grouped and axis == "i":
        role, attribute = _GROUPS, ""
      yield _Difference(role, attribute, found, wanted, step)


def _length(axis: str, lengths: Mapping[str, int]) -> int:
  """Returns the length of an axis, also of several in brackets."""
  parts = axis.strip("()").split()
  return math.prod(lengths.get(part, 1) for part in parts if part != "1")


def _is_grouped(sizes: Mapping[str, tuple[int, int]]) -> bool:
  """Whether a kernel sees fewer channels, but gives as many or more."""
  (seen, wanted), (given, needed) = (
    sizes.get("i", (0, 0)),
    sizes.get("o", (0, 1)),
  )
  return seen < wanted and given >= needed


def _role(leaf: str, axis: str) -> tuple[str, str]:
  """Returns the name of an axis, and the network's attribute for it."""
  return next(
    (role, attribute)
    for leaves, axes, role, attribute in _ROLES
    if re.fullmatch(leaves, leaf) and re.fullmatch(axes, axis)
  )


def _block_kind(plan: ConversionPlan) -> list[_Cause]:
  """Returns the cause that residual blocks have two or three convolutions."""
  block = getattr(plan.network, "block", None)
  if block not in ("basic", "bottleneck"):
    return []
  lines = [_head(line) for line in plan.mapping.problems]
  would_be = _would_be(plan, [h[2:] for h in lines if h[0] == "+"])
  lost = [h[2:] for h in lines if h[0] == "-"]
  if block == "basic" and any("/conv3/" in leaf for leaf in would_be):
    found, words = "bottleneck", ("three", "two")
  elif block == "bottleneck" and all(
    f"params/stage{stage}_block1/conv3/kernel" in lost
    for stage in range(1, len(plan.network.stage_sizes) + 1)
  ):
    found, words = "basic", ("two", "three")
  else:
    return []
  text = (
    f"residual blocks: of {words[0]} convolutions in the weights, of "
    f"{words[1]} in {plan.model_name}."
  )
  return [_Cause(text, frozenset(lines), {"block": found})]


def _depths(plan: ConversionPlan) -> Iterator[_Cause]:
  """Yields the kinds of blocks of which weights and network have others."""
  lines = {_head(line): line for line in plan.mapping.problems}
  missing = _units({h[2:]: h for h in lines if h[0] == "-"})
  extra = _units(_would_be(plan, [h[2:] for h in lines if h[0] == "+"]))
  there = _units({step.leaf: "" for step in plan.mapping.steps})
  counts = {}
  for kind in sorted({*there, *missing, *extra}):
    here = there.get(kind, {}).keys()
    more = extra.get(kind, {}).keys() - here
    lost = missing.get(kind, {}).keys() - here
    counts[kind] = len(here | more), len(here | lost)
  sizes = tuple(n for kind, (n, _) in counts.items() if "stage" in kind)
  for kind, (found, wanted) in counts.items():
    here = there.get(kind, {})
    units = {**missing.get(kind, {}), **extra.get(kind, {})}
    heads = [h for n, names in units.items() if n not in here for h in names]
    if not heads:
      continue
    name = kind.split("/", 1)[-1].removesuffix("_block")
    yield _Cause(
      f"{name}: {found} blocks in the weights, {wanted} in {plan.model_name}, "
      f"e.g.\n  {lines[_example(heads)]}",
      frozenset(heads),
      {"stage_sizes": sizes} if "stage" in kind else {"depth": found},
    )


def _units(heads: Mapping[str, str]) -> dict[str, dict[int, list[str]]]:
  """Returns kind of block -> number -> heads of the problems of its leaves."""
  units: dict[str, dict[int, list[str]]] = {}
  for leaf, head in heads.items():
    if found := _UNIT.fullmatch(leaf):
      kind = found["kind"].replace("batch_stats/", "params/")
      units.setdefault(kind, {}).setdefault(int(found["n"]), []).append(head)
  return units


def _would_be(plan: ConversionPlan, names: Sequence[str]) -> dict[str, str]:
  """Returns the leaves that tensors would make in a larger network."""
  made = {}
  rules = plan.source.rules(plan.network)
  for rule in rules:
    for tensor in rule.tensors:
      expression = tensor_expression(tensor)
      for name in names:
        if numbers := expression(name):
          made[rule.path(numbers)] = f"+ {name}"
  return made


def _collapsed(problems: Sequence[str]) -> list[str]:
  """Returns lines that differ in the numbers of blocks as one."""
  groups: dict[str, list[str]] = {}
  for line in problems:
    groups.setdefault(_NUMBER.sub("*", line), []).append(line)
  return [
    lines[0] + (f" (and {len(lines) - 1} like it)" if len(lines) > 1 else "")
    for lines in groups.values()
  ]


def _sized(network: Network, attribute: str) -> Any:
  return _plain(getattr(network, attribute, None))


def _plain(value: Any) -> Any:
  return tuple(value) if isinstance(value, list) else value


def _fitting(plan: ConversionPlan, found: Sequence[_Cause]) -> list[str]:
  """Returns the rows of the catalog that have the sizes of the weights."""
  wanted = {k: v for cause in found for k, v in cause.attributes.items()}
  if not wanted or "block" in wanted:
    return []  # The number of blocks is not known then.
  for attribute in ("width", "depth", "patch_size", "stage_sizes", "block"):
    wanted.setdefault(attribute, getattr(plan.network, attribute, None))
  names = []
  for name in MODELS:
    network = temporal_jax.create_model(name, num_classes=1)
    same = all(_sized(network, k) == _plain(v) for k, v in wanted.items())
    if same and name != plan.model_name and plan.source.takes(network):
      names.append(name)
  return names[:_MOST_NETWORKS]


def _rows_of(plan: ConversionPlan, tensors: Mapping[str, Any]) -> list[str]:
  """Returns the rows of the catalog that take the weights whole.

  Of those, the ones that differ in the fewest sizes from the plan's network.
  """
  sizes = ("width", "depth", "patch_size", "stage_sizes", "block")
  near = {}
  for name in MODELS:
    network = temporal_jax.create_model(name, num_classes=1)
    if name != plan.model_name and plan.source.takes(network):
      near[name] = sum(_sized(network, k) != _sized(plan.network, k) for k in sizes)
  nearest = sorted(near, key=near.__getitem__)[:_MOST_TRACED]
  for _, names in itertools.groupby(nearest, key=near.__getitem__):
    found = {name: fitting_arguments(name, tensors, plan.source) for name in names}
    takers = [name for name, arguments in found.items() if arguments is not None]
    if takers:
      return takers[:_MOST_NETWORKS]
  return []
