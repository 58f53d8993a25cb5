"""Description of one checkpoint format."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from convert_weights.rules import Rule
from temporal_jax.models.catalog.entry import Pixels
from temporal_jax.models.network import Network

# Regular expression of tensors that no network reads -> the reason.
SKIP: Mapping[str, str] = {r"(.*\.)?num_batches_tracked": "a counter"}
NOTHING: Mapping[str, Any] = MappingProxyType({})

Rules = Callable[[Network], Sequence[Rule]]


class Refusal(NamedTuple):
  """A form of a network that is known by names and not supported.

  Attributes:
    has: Expression of tensors that only this form has; "" for none.
    lacks: Expression of tensors that only this form lacks, likewise.
    why: Name of the form, and advice to the user.
  """

  why: str
  has: str = ""
  lacks: str = ""


class Shown(NamedTuple):
  """An argument of `create_model` that tensors show.

  Attributes:
    value: Its value.
    why: Evidence in the tensors.
  """

  value: Any
  why: str


def show_nothing(network: Network, tensors: Mapping[str, Any]) -> Mapping[str, Shown]:
  """Returns no arguments: the tensors show none."""
  del network, tensors
  return NOTHING


class CheckpointFormat(NamedTuple):
  """Rules from the weights of one naming to networks.

  Users call it a source of weights.

  Attributes:
    name: Name for users, e.g. "openai_clip".
    origin: Repository or library whose naming it is.
    rules: Network -> the rules that make its leaves.
    takes: Whether a network can be made of such weights at all.
    marks: Regular expressions; a checkpoint with a tensor for each is of this
      naming.
    absent: Regular expressions; a checkpoint with a tensor for any is not of
      this naming.
    skip: Regular expression of tensors that stay unused -> the reason.
    new: Regular expression of leaves that no such checkpoint has -> the
      reason; they keep their initial values.
    forms: Other arguments of `create_model` than the catalog's, with which such
      weights were also published.
    unsaid: Argument of `create_model` that the tensors do not show -> a remark
      where it is not given; "" if the row's own is right for all such weights.
    fixed: Arguments that the code with which such weights were trained fixes;
      rows have its values.
    counted: Argument -> regular expression of tensors whose group is a number
      from 0; there are as many.
    shown: (network, tensors) -> arguments of `create_model` in which such a
      checkpoint differs from the network, such as a layer that it lacks.
    pixels: Remark on the pixels' statistics where the checkpoint does not state
      them; "" if the row's are right for all such weights.
    code_pixels: Mean and standard deviation of the pixels in the origin's code,
      where rows have others; None if the rows' are right.
    tasks: Task -> regular expression of the tensor (L, D) of its own head, in
      weights with several.
    refusals: Forms of such networks that are not supported, or by another name.
    supported: Whether a network takes such weights. False for formats that are
      known only to be refused.
  """

  name: str
  origin: str
  rules: Rules
  takes: Callable[[Network], bool]
  marks: Sequence[str]
  absent: Sequence[str] = ()
  skip: Mapping[str, str] = SKIP
  new: Mapping[str, str] = NOTHING
  forms: Sequence[Mapping[str, Any]] = ()
  unsaid: Mapping[str, str] = NOTHING
  fixed: Sequence[str] = ()
  counted: Mapping[str, str] = NOTHING
  shown: Callable[[Network, Mapping[str, Any]], Mapping[str, Shown]] = show_nothing
  pixels: str = ""
  code_pixels: Pixels | None = None
  tasks: Mapping[str, str] = NOTHING
  refusals: Sequence[Refusal] = ()
  supported: bool = True
