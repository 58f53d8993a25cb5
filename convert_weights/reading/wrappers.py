"""Unwraps nested checkpoints ("state_dict", "module.", `AveragedModel`)."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from convert_weights.reading.errors import CheckpointError

# Entries in which programs save weights; they are searched before any other.
RAW = (
  "state_dict",
  "model",
  "model_state",
  "model_state_dict",
  "module",
  "net",
  "network",
  "params",
  "weights",
)
EMA = ("state_dict_ema", "model_ema", "model_ema_state", "ema_state_dict")
_AVERAGE = re.compile(r"(.*_)?(ema|swa|averaged?|shadow)(_.*)?", re.IGNORECASE)
# Entries that hold tensors, but never the weights of a network.
_NO_WEIGHTS = re.compile(
  r"(.*_)?(opt|optim\w*|.*sched\w*|.*scaler|state|callbacks|loops|rng\w*"
  r"|hyper_parameters|hparams|config|cfg|args|criterion|loss\w*|metrics?"
  r"|history|sampler)(_.*)?",
  re.IGNORECASE,
)
# First parts of every name: of DataParallel and of torch.compile.
PREFIXES = ("module.", "_orig_mod.")
# Parts of torch's wrappers that may be anywhere in a name.
_INSIDE = re.compile(
  r"(?<![^.])(_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\."
)
# Counters of torch's `AveragedModel`, and of mmengine's, next to "module.*".
_COUNTERS = ("n_averaged", "steps")


class Weights(NamedTuple):
  """One set of weights of a checkpoint.

  Attributes:
    tensors: Tensors of the file by name.
    wrapper: Names of the entries around them, e.g. "state_dict > module.*".
    ignored: Names of the entries next to them.
    others: Wrappers of the sets of weights that were not taken.
  """

  tensors: Mapping[str, Any]
  wrapper: str
  ignored: tuple[str, ...]
  others: tuple[str, ...]


class _Set(NamedTuple):
  tensors: Mapping[str, Any]
  path: tuple[str, ...] = ()
  ignored: tuple[str, ...] = ()

  def inside(self, key: str) -> "_Set":
    return self._replace(path=(key, *self.path))

  @property
  def ema(self) -> bool:
    return any(_AVERAGE.fullmatch(part) for part in self.path)

  @property
  def counters(self) -> list[str]:
    """Counters of an `AveragedModel`; [] if it is none."""
    rest = [name for name in self.tensors if name not in _COUNTERS]
    if not rest or not _all_under("module.", rest):
      return []
    return [name for name in _COUNTERS if name in self.tensors]

  @property
  def wrapper(self) -> str:
    return " > ".join(self.path)


def see_through(tree: Any, *, ema: bool = False, entry: str | None = None) -> Weights:
  """Finds the weights in the contents of a checkpoint.

  Args:
    tree: Tensors by name, possibly inside of nested dictionaries.
    ema: Whether the moving average of the weights is wanted.
    entry: Names of the entries around the wanted weights, e.g. "teacher" or
      "model > state_dict"; `ema` does not matter then.

  Raises:
    CheckpointError: If there is not exactly one set of such weights.
  """
  if not isinstance(tree, Mapping):
    raise CheckpointError(
      f"holds one {type(tree).__name__}; allowed are tensors by their names."
    )
  found = _distinct(_sets(tree, set()))
  if not found:
    held = [str(key) for key in tree][:10]
    raise CheckpointError(
      f"holds no weights but {held}; weights are tensors by their names, also "
      f"inside of {[*RAW, *EMA]}."
    )
  one = _choose(found, ema) if entry is None else _at(entry, found)
  others = tuple(s.wrapper or "the outermost" for s in found if s is not one)
  tensors, removed, counters = _without_wrappers(one)
  wrapper = " > ".join([*one.path, *(f"{prefix}*" for prefix in removed)])
  return Weights(tensors, wrapper, (*counters, *one.ignored), others)


def _choose(found: list[_Set], ema: bool) -> _Set:
  """Returns the only set of the wanted kind.

  An `AveragedModel` is a moving average; without other weights next to it, it
  is also taken as the weights.
  """
  if ema:
    wanted = [s for s in found if s.ema or s.counters]
    if not wanted:
      raise CheckpointError(
        f"holds no moving average of the weights, which is in one of {EMA}."
      )
  else:
    raw = [s for s in found if not s.ema]
    wanted = [s for s in raw if not s.counters] or raw
    if not wanted:
      places = [s.wrapper for s in found]
      raise CheckpointError(
        f"holds only the weights' moving average, {places}: ask for it with "
        "ema=True (--ema)."
      )
  if len(wanted) > 1:
    places = [one.wrapper for one in wanted]
    raise CheckpointError(
      f"holds weights more than once: in {places}; choose one with entry (--entry)."
    )
  return wanted[0]


def _at(entry: str, found: list[_Set]) -> _Set:
  """Returns the only set inside of `entry`."""
  path = tuple(part.strip() for part in entry.split(">"))
  inside = [s for s in found if s.path[: len(path)] == path]
  if len(inside) != 1:
    places = [one.wrapper for one in inside or found]
    many = "weights more than once" if inside else "no weights"
    raise CheckpointError(f"entry {entry!r} holds {many}; allowed are {places}.")
  return inside[0]


def _sets(tree: Mapping[Any, Any], seen: set[int]) -> list[_Set]:
  """Returns the innermost sets of tensors.

  Args:
    tree: Contents of an entry.
    seen: Containers that were opened before, by `id`; none is opened again.
  """
  if id(tree) in seen:
    return []
  seen.add(id(tree))
  # Optimizers number their tensors, weights have names.
  own = {k: v for k, v in tree.items() if isinstance(k, str) and _tensor(v)}
  named = [key for key in tree if isinstance(key, str) and key not in RAW]
  averages = [key for key in named if _AVERAGE.fullmatch(key)]
  found = _nested(tree, [*RAW, *averages], seen)
  if not found:
    rest = [key for key in named if not _NO_WEIGHTS.fullmatch(key)]
    found = _nested(tree, rest, seen)
    if own and max((len(s.tensors) for s in found), default=0) <= len(own):
      found = [_Set(own)]
  opened = {s.path[0] for s in found if s.path} or {*own}
  unopened = tuple(str(key) for key in tree if key not in opened)
  return [one._replace(ignored=(*unopened, *one.ignored)) for one in found]


def _nested(tree: Mapping[Any, Any], keys: list[str], seen: set[int]) -> list[_Set]:
  found = []
  for key in keys:
    if isinstance(tree.get(key), Mapping):
      found += [one.inside(key) for one in _sets(tree[key], seen)]
  return found


def _distinct(found: list[_Set]) -> list[_Set]:
  """Leaves out sets of the very same tensors as one before them."""
  kept = {}
  for one in found:
    same = frozenset((name, id(t)) for name, t in one.tensors.items())
    kept.setdefault(same, one)
  return list(kept.values())


def _tensor(value: Any) -> bool:
  return hasattr(value, "shape") and hasattr(value, "dtype")


def _without_wrappers(
  one: _Set,
) -> tuple[Mapping[str, Any], list[str], list[str]]:
  """Returns tensors by the names in the network.

  Returns:
    The tensors, the prefixes that all names had, and the counters next to them.
  """
  removed, counters = [], []
  while True:
    counters += one.counters
    rest = {n: t for n, t in one.tensors.items() if n not in one.counters}
    prefix = next((p for p in PREFIXES if _all_under(p, rest)), "")
    if not prefix:
      break
    one = _Set({name[len(prefix) :]: t for name, t in rest.items()})
    removed.append(prefix)
  shorter = {_INSIDE.sub("", name): t for name, t in one.tensors.items()}
  tensors = shorter if len(shorter) == len(one.tensors) else one.tensors
  return tensors, removed, counters


def _all_under(prefix: str, names: Any) -> bool:
  return all(n.startswith(prefix) and n != prefix for n in names)
