"""A family of networks that is not supported, and how it is recognised."""

from collections.abc import Sequence
from typing import NamedTuple

HUGGINGFACE = "huggingface/transformers"
# Names that several families share.
HUGGINGFACE_PATCH = r"embeddings\.patch_embeddings\.projection\.weight"
PATCH = r"patch_embed\.proj(ection)?\.weight"


class Family(NamedTuple):
  """A family of networks that no source is of.

  Attributes:
    name: Name of the family, and the code that uses these names of tensors.
    marks: Regular expressions; a checkpoint with a tensor for each is of this
      family. A name may begin with any prefix. "regex @5" only matches tensors
      of five axes.
    absent: Regular expressions; a checkpoint with a tensor for any is not.
    instead: Advice to the user; by default, the list of supported sources.
  """

  name: str
  marks: tuple[str, ...]
  absent: tuple[str, ...] = ()
  instead: str = ""


def family(
  name: str, *marks: str, absent: Sequence[str] = (), instead: str = ""
) -> Family:
  """Returns a `Family`, with its marks as separate arguments."""
  return Family(name, marks, tuple(absent), instead)
