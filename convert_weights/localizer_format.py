"""Description of the naming of one localization network's weights."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from convert_weights.checkpoint_format import NOTHING
from convert_weights.rules import Rule


class LocalizerFormat(NamedTuple):
  """Rules from the weights of one naming to localization networks.

  Attributes:
    origin: Repository whose naming it is.
    rules: Network -> the rules that make its leaves.
    arguments: Tensors by name -> arguments of `create_localizer` that they
      show, "channels": the features' channels, and "length": the positions of a
      sequence, None if they do not show it.
    constants: (network, positions) -> tensors that follow from these.
    skip: Regular expression of tensors that stay unused -> the reason.
  """

  origin: str
  rules: Callable[[Any], Sequence[Rule]]
  arguments: Callable[[Mapping[str, Any]], dict[str, Any]]
  constants: Callable[[Any, int], dict[str, Any]] = lambda network, length: {}
  skip: Mapping[str, str] = NOTHING


def find_tensor(tensors: Mapping[str, Any], name: str, origin: str) -> Any:
  """Returns a tensor that all weights of a naming have.

  Raises:
    ValueError: If it is not there.
  """
  if name not in tensors:
    names = sorted(tensors)
    raise ValueError(
      f"these are not weights in the names of {origin}: they lack {name!r}; "
      f"they have {names[:3]} and {max(len(names) - 3, 0)} more."
    )
  return tensors[name]
