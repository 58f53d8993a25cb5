"""What lies around weights in a checkpoint is seen through."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from convert_weights.reading.errors import CheckpointError

RAW = ("state_dict", "model", "model_state", "model_state_dict", "module")
EMA = ("state_dict_ema", "model_ema", "model_ema_state", "ema_state_dict")
# Before every name: of DataParallel and of torch.compile.
PREFIXES = ("module.", "_orig_mod.")


class Weights(NamedTuple):
  """One set of weights of a checkpoint.

  Attributes:
    tensors: As in the file, by their names.
    wrapper: Names of the entries around them, e.g. "state_dict > module.*".
    ignored: Names of the entries beside them.
    others: Wrappers of the weights of the other kind: averaged or not.
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
    return any(part in EMA for part in self.path)

  @property
  def wrapper(self) -> str:
    return " > ".join(self.path)


def see_through(tree: Any, *, ema: bool = False) -> Weights:
  """Finds the weights in what a checkpoint holds.

  Args:
    tree: Tensors by their names, possibly inside of `RAW` and `EMA`.
    ema: Whether the moving average of the weights is wanted.

  Raises:
    CheckpointError: If there is not exactly one set of such weights.
  """
  if not isinstance(tree, Mapping):
    raise CheckpointError(
      f"holds one {type(tree).__name__}; allowed are tensors by their names."
    )
  found = _sets(tree, set())
  if not found:
    held = [str(key) for key in tree][:10]
    raise CheckpointError(
      f"holds no weights but {held}; weights are tensors by their names, also "
      f"inside of {[*RAW, *EMA]}."
    )
  wanted = [s for s in found if s.ema == ema]
  others = tuple(s.wrapper for s in found if s.ema != ema)
  if not wanted and ema:
    raise CheckpointError(
      f"holds no moving average of the weights, which lies in one of {EMA}."
    )
  if not wanted:
    raise CheckpointError(
      f"holds the weights' moving average alone, {list(others)}: ask for that."
    )
  if len(wanted) > 1:
    places = [one.wrapper for one in wanted]
    raise CheckpointError(f"holds weights more than once: in {places}.")
  (one,) = wanted
  tensors, prefixes = _without_prefixes(one.tensors)
  wrapper = " > ".join([*one.path, *(f"{prefix}*" for prefix in prefixes)])
  return Weights(tensors, wrapper, one.ignored, others)


def _sets(tree: Mapping[Any, Any], seen: set[int]) -> list[_Set]:
  """Returns the innermost sets of tensors.

  Args:
    tree: What is opened.
    seen: What was opened before, by `id`: it is not opened again.
  """
  if id(tree) in seen:
    return []
  seen.add(id(tree))
  found = []
  for key in (*RAW, *EMA):
    if isinstance(tree.get(key), Mapping):
      found += [one.inside(key) for one in _sets(tree[key], seen)]
  opened = {one.path[0] for one in found}
  if not found:
    # Optimizers count theirs, weights have names.
    opened = {k for k, v in tree.items() if isinstance(k, str) and _tensor(v)}
    found = [_Set({key: tree[key] for key in tree if key in opened})]
  if not opened:
    return []
  beside = tuple(str(key) for key in tree if key not in opened)
  return [one._replace(ignored=(*beside, *one.ignored)) for one in found]


def _tensor(value: Any) -> bool:
  return hasattr(value, "shape") and hasattr(value, "dtype")


def _without_prefixes(
  tensors: Mapping[str, Any],
) -> tuple[Mapping[str, Any], list[str]]:
  """Removes prefixes that all names have, and returns them."""
  removed = []
  while prefix := next((p for p in PREFIXES if _all_under(p, tensors)), ""):
    tensors = {name[len(prefix) :]: t for name, t in tensors.items()}
    removed.append(prefix)
  return tensors, removed


def _all_under(prefix: str, names: Mapping[str, Any]) -> bool:
  return all(n.startswith(prefix) and n != prefix for n in names)
