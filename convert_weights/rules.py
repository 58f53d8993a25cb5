"""Rules: how the leaves of a Flax tree are made of the tensors of a source.

Nothing here depends on whether a tensor is a NumPy or a JAX array, so that a
rule can be differentiated as well, or applied to shapes only.
"""

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import einops
import jax.numpy as jnp

_NUMBER = re.compile(r"\{(\w+?)([+-]\d+)?\}")


class Picks(NamedTuple):
  """Some of several parts of a tensor, in order, which make one leaf.

  Attributes:
    indices: Indices of the parts; of a single one the leaf has no axis.
    count: Parts of the tensor.
  """

  indices: tuple[int, ...]
  count: int


class Rule(NamedTuple):
  """One leaf and the tensors that make it.

  `{i}` in a leaf stands for a number; a tensor may use it as `{i}`, `{i-1}` or
  `{i+1}`.

  Attributes:
    leaf: Path in the variables, e.g. "params/block{i}/conv1/kernel".
    tensors: Names in the source, e.g. ("layer.{i-1}.conv1.weight",).
    pattern: einops pattern from the tensor to the leaf. Several tensors are
      stacked, and the left side begins with that axis. The right side names
      every axis and has no brackets, so that it can be read backwards too.
    change: Change of the values, see `changes`.
    undo: The change backwards, value -> value; None if there is none.
    picks: Parts of the tensor that the leaf is made of, by the axis that the
      pattern's right side begins with; None for the whole. Rules for parts of
      one tensor have the same pattern.
  """

  leaf: str
  tensors: tuple[str, ...]
  pattern: str
  change: Callable[[Any, tuple[int, ...], str], Any] | None = None
  undo: Callable[[Any], Any] | None = None
  picks: Picks | None = None

  def match(self, path: str) -> dict[str, int] | None:
    """Returns the numbers with which the leaf is `path`, None if it is not."""
    found = _expression(self.leaf).fullmatch(path)
    return found and {k: int(v) for k, v in found.groupdict().items()}

  def sources(self, numbers: dict[str, int]) -> tuple[str, ...]:
    """Returns the names of the tensors for these numbers."""

    def fill(found: re.Match) -> str:
      return str(numbers[found[1]] + int(found[2] or 0))

    return tuple(_NUMBER.sub(fill, name) for name in self.tensors)

  def path(self, numbers: dict[str, int]) -> str:
    """Returns the leaf for these numbers."""
    return _NUMBER.sub(lambda found: str(numbers[found[1]]), self.leaf)

  def apply(
    self,
    tensors: Sequence[Any],
    shape: tuple[int, ...],
    inflation: str = "centre",
  ) -> Any:
    """Makes a leaf.

    Args:
      tensors: Values of the rule's tensors, in their order.
      shape: Shape of the leaf.
      inflation: Way of making video kernels from image kernels, see
        `changes.inflate`.

    Raises:
      einops.EinopsError: If the axes do not fit.
    """
    value = tensors[0] if len(tensors) == 1 else list(tensors)
    if self.change is not None:
      return self.change(einops.rearrange(value, self.pattern), shape, inflation)
    value = einops.rearrange(value, self.pattern, **self.lengths(shape))
    if self.picks is None:
      return value
    parts = [value[index] for index in self.picks.indices]
    return parts[0] if len(parts) == 1 else einops.rearrange(parts, "p ... -> p ...")

  def lengths(self, shape: Sequence[int]) -> dict[str, int]:
    """Returns the lengths of the pattern's axes for a leaf of a shape."""
    axes = self.pattern.split("->")[1].split()
    if self.picks is not None:
      rest = shape if len(self.picks.indices) == 1 else shape[1:]
      shape = (self.picks.count, *rest)
    return {a: n for a, n in zip(axes, shape, strict=True) if a != "1"}

  def revert(self, leaf: Any) -> list[Any]:
    """Makes the values of the rule's tensors of a leaf: `apply` backwards.

    Parts that the leaf does not have are zeros.
    """
    left, right = self.pattern.split("->")
    if self.picks is not None:
      own = [leaf] if len(self.picks.indices) == 1 else list(leaf)
      parts = [jnp.zeros_like(own[0])] * self.picks.count
      for index, part in zip(self.picks.indices, own, strict=True):
        parts[index] = part
      leaf = jnp.stack(parts)
    value = leaf if self.undo is None else self.undo(leaf)
    value = einops.rearrange(value, f"{right} -> {left}")
    return list(value) if len(self.tensors) > 1 else [value]

  def rank(self) -> int:
    """Returns the rank of the leaves that the rule makes without a change."""
    is_single = self.picks is not None and len(self.picks.indices) == 1
    return len(self.pattern.split("->")[1].split()) - is_single


def tensor_expression(
  tensor: str,
) -> Callable[[str], dict[str, int] | None]:
  """Returns a regex that finds the numbers of a rule's tensor in a name."""
  expression = _expression(tensor)
  offsets = {name: int(offset or 0) for name, offset in _NUMBER.findall(tensor)}

  def numbers(name: str) -> dict[str, int] | None:
    found = expression.fullmatch(name)
    return found and {k: int(v) - offsets[k] for k, v in found.groupdict().items()}

  return numbers


@functools.cache
def _expression(leaf: str) -> re.Pattern:
  """Returns the expression of the paths that a rule's leaf matches."""
  parts = _NUMBER.split(leaf)  # text, name, offset, text, ...
  regex = re.escape(parts[0])
  for name, text in zip(parts[1::3], parts[3::3], strict=True):
    regex += rf"(?P<{name}>\d+){re.escape(text)}"
  return re.compile(regex)


def under(rules: Iterable[Rule], leaf: str, tensor: str) -> list[Rule]:
  """Puts rules under the path `leaf` and the name `tensor` ("" for none)."""
  prefix = tensor and f"{tensor}."
  moved = []
  for rule in rules:
    collection, path = rule.leaf.split("/", 1)
    path = f"{leaf}/{path}" if leaf else path
    names = tuple(prefix + name for name in rule.tensors)
    moved.append(rule._replace(leaf=f"{collection}/{path}", tensors=names))
  return moved


def changing(
  rules: Iterable[Rule],
  change: Callable[[Any, tuple[int, ...], str], Any],
  undo: Callable[[Any], Any] | None = None,
) -> list[Rule]:
  """Sets the change of values of rules and the way back, see `changes`."""
  return [rule._replace(change=change, undo=undo) for rule in rules]


def linear(leaf: str, tensor: str, *, bias: bool = True) -> list[Rule]:
  """Rules of a torch `Linear`."""
  return _affine(leaf, tensor, "o i -> i o", bias)


def conv1d(leaf: str, tensor: str, *, bias: bool = False) -> list[Rule]:
  """Rules of a torch `Conv1d`, with groups or without."""
  return _affine(leaf, tensor, "o i k -> k i o", bias)


def conv1d_pointwise(leaf: str, tensor: str, *, bias: bool = True) -> list[Rule]:
  """Rules of a torch `Conv1d` of one position that becomes a `Dense`."""
  return _affine(leaf, tensor, "o i 1 -> i o", bias)


def conv2d(leaf: str, tensor: str, *, bias: bool = False) -> list[Rule]:
  """Rules of a torch `Conv2d`."""
  return _affine(leaf, tensor, "o i h w -> h w i o", bias)


def conv2d_pointwise(leaf: str, tensor: str, *, bias: bool = True) -> list[Rule]:
  """Rules of a torch `Conv2d` of one pixel that becomes a `Dense`."""
  return _affine(leaf, tensor, "o i 1 1 -> i o", bias)


def conv3d(leaf: str, tensor: str, *, bias: bool = False) -> list[Rule]:
  """Rules of a torch `Conv3d`."""
  return _affine(leaf, tensor, "o i t h w -> t h w i o", bias)


def conv3d_spatial(leaf: str, tensor: str, *, bias: bool = False) -> list[Rule]:
  """Rules of a torch `Conv3d` of one frame that becomes a 2-D kernel."""
  return _affine(leaf, tensor, "o i 1 h w -> h w i o", bias)


def conv3d_temporal(leaf: str, tensor: str, *, bias: bool = False) -> list[Rule]:
  """Rules of a torch `Conv3d` of one pixel that becomes (K, C, C')."""
  return _affine(leaf, tensor, "o i t 1 1 -> t i o", bias)


def conv3d_pointwise(leaf: str, tensor: str, *, bias: bool = True) -> list[Rule]:
  """Rules of a torch `Conv3d` of one frame and pixel that becomes a `Dense`."""
  return _affine(leaf, tensor, "o i 1 1 1 -> i o", bias)


def layer_norm(leaf: str, tensor: str) -> list[Rule]:
  """Rules of a torch `LayerNorm`."""
  return [
    Rule(f"params/{leaf}/scale", (f"{tensor}.weight",), "c -> c"),
    Rule(f"params/{leaf}/bias", (f"{tensor}.bias",), "c -> c"),
  ]


def batch_norm(leaf: str, tensor: str) -> list[Rule]:
  """Rules of a torch `BatchNorm` of any rank, with its running statistics."""
  return [
    *layer_norm(leaf, tensor),
    Rule(f"batch_stats/{leaf}/mean", (f"{tensor}.running_mean",), "c -> c"),
    Rule(f"batch_stats/{leaf}/var", (f"{tensor}.running_var",), "c -> c"),
  ]


def _affine(leaf: str, tensor: str, pattern: str, bias: bool) -> list[Rule]:
  rules = [Rule(f"params/{leaf}/kernel", (f"{tensor}.weight",), pattern)]
  if bias:
    rules.append(Rule(f"params/{leaf}/bias", (f"{tensor}.bias",), "c -> c"))
  return rules
