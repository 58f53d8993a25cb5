"""Published weights: where their owners put them, and their licences.

published_weights.json has a line for each checkpoint, collected from the
repositories and pages of the owners.
"""

import fnmatch
import functools
import json
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

_FILE = pathlib.Path(__file__).with_name("published_weights.json")


class PublishedWeights(NamedTuple):
  """A checkpoint.

  Attributes:
    title: Its name, with accuracy and data where several differ only in these.
    address: hf://org/name, which commands take; or the page or file of its
      owners.
    network: The network of the catalog that it is for; None for none.
    file: Name of the file; None where the owners do not state it.
    revision: Commit that the facts are of; None where it is not known.
    license: Licence of the weights or, where these have none of their own, of
      their code; None where neither is stated.
    restricted: Whether the licence forbids uses, such as commercial ones, or
      must be accepted before the download.
    bytes: Size; None where only `size` is known.
    size: Size as the page prints it; None where it does not.
    sha256: Digest of the file; None where the owners do not state it.
    sha256_prefix: Its first digits, where only these are stated.
    data: Data that it was trained on; None where it is not stated.
    confirmed: Whether the address was found in a page or a file of its owners.
    format: Naming of its tensors, a source of `convert_weights`; None where
      none reads them yet.
  """

  title: str
  address: str
  restricted: bool
  confirmed: bool
  network: str | None = None
  file: str | None = None
  revision: str | None = None
  license: str | None = None
  bytes: int | None = None
  size: str | None = None
  sha256: str | None = None
  sha256_prefix: str | None = None
  data: str | None = None
  format: str | None = None

  def printed_size(self) -> str:
    """Returns the size in words; "" where it is not known."""
    if self.bytes is None:
      return self.size or ""
    if self.bytes >= 1e9:
      return f"{self.bytes / 1e9:.2f} GB"
    return f"{self.bytes / 1e6:.0f} MB"

  def printed_license(self) -> str:
    """Returns the licence in words, with "!" before one that forbids uses."""
    return f"{'! ' * self.restricted}{self.license or 'not stated'}"


@functools.cache
def read_weights() -> Sequence[PublishedWeights]:
  """Returns all published weights, those of one network together."""
  return tuple(PublishedWeights(**one) for one in json.loads(_FILE.read_text()))


def find_weights(pattern: str) -> list[PublishedWeights]:
  """Returns the weights of networks or, where none has the name, by words.

  Args:
    pattern: Name of a network, "*" and "?" as in a shell; or a part of a
      network's name, a title or an address, in any case. "" and "*" are all.
  """
  part = pattern.strip("*").lower()
  of_network = part and [
    one for one in read_weights() if fnmatch.fnmatchcase(one.network or "", pattern)
  ]
  return of_network or [
    one
    for one in read_weights()
    if part in f"{one.network or ''}\n{one.title}\n{one.address}".lower()
  ]
