"""The tables of weights: what is published, and what is read."""

from collections.abc import Iterator, Mapping, Sequence

from convert_weights.registry import SOURCES
from temporal_jax import models
from temporal_jax.models.catalog.published_weights import (
  PublishedWeights,
  find_weights,
  read_weights,
)

_SHOWN = 12  # Digits of a sha256.
# Networks whose owners published no weights ->
# weights that their papers start from.
_STARTS: Mapping[str, str] = {
  "atm_resnet50": "hf://microsoft/resnet-50",
  "atm_vit_b16": "hf://openai/clip-vit-base-patch16",
  "xvit_b16": "hf://google/vit-base-patch16-224-in21k",
}


def formats() -> Iterator[Sequence[str]]:
  """Yields the rows of the supported namings, with the networks of each."""
  yield "source", "naming of", "networks"
  built = {
    name: models.create_model(name, num_classes=1) for name in models.list_models()
  }
  for source in SOURCES.values():
    if source.supported:
      names = [f"`{name}`" for name, network in built.items() if source.takes(network)]
      yield f"`{source.name}`", source.origin, ", ".join(names)


def published() -> Iterator[Sequence[str]]:
  """Yields the rows of the published weights."""
  yield "network", "weights", "size", "licence", "sha256", "source"
  for one in read_weights():
    yield (
      f"`{one.network}`" if one.network else "",
      _link(one),
      one.printed_size(),
      one.printed_license(),
      (one.sha256 or one.sha256_prefix or "")[:_SHOWN],
      f"`{one.format}`" if one.format else "",
    )


def main_address(network: str) -> str:
  """Returns the weights of a network for a cell of README's table.

  Of several they are those with the best accuracy of the papers.
  """
  own = [one for one in find_weights(network) if one.network == network]
  if not own:
    (start,) = find_weights(_STARTS[network])
    return f"from {_short(start)}"
  best = models.MODELS[network].best_accuracies().values()
  figures = [f"{accuracy.top1:.1f}" for accuracy in best]
  found = (one for figure in figures for one in own if figure in one.title)
  return _short(next(found, own[0]))


def _link(one: PublishedWeights) -> str:
  """Returns title and address; an address of the hub is there to be copied."""
  title = one.title.replace("|", "&#124;")
  doubt = "" if one.confirmed else " (not confirmed)"
  if one.address.startswith("hf://"):
    return f"{title}: `{one.address}`{doubt}"
  return f"[{title}]({one.address}){doubt}"


def _short(one: PublishedWeights) -> str:
  if one.address.startswith("hf://"):
    return f"`{one.address}`"
  return f"[{one.address.split('/')[2]}]({one.address})"
