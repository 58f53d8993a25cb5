"""The table of networks: ours beside their authors' figures.

python -m temporal_jax.models.catalog.models_page > docs/models.md
"""

from collections.abc import Iterator

from temporal_jax.models.catalog.reference_costs import FIGURES
from temporal_jax.models.inspect.catalog_cost import Cost, count_network

_HEAD = """\
# Networks

Parameters in millions, and 1e9 multiply-adds for one view: ours, counted on the
model (`temporal_jax.models.inspect.count`), beside those of the authors' own code. The
last column is what a paper or its repository says of parameters and
multiply-adds, at the row's view if it names no other. Made by
`python -m temporal_jax.models.catalog.models_page > docs/models.md`.

| name | view | parameters | authors' | multiply-adds | authors' | paper |
|---|---|---|---|---|---|---|"""


def cost(name: str) -> Cost:
  """Counts a network of `FIGURES` at its view; texts are encoded already.

  ATM's paper counts less for ViTs than its code computes, and bLVNet's figures
  hold the products of its aggregation, which are sums here.
  """
  figures = FIGURES[name]
  return count_network(name, figures.clip_shape, figures.num_classes)


def lines() -> Iterator[str]:
  """Yields the page, a row a network."""
  yield _HEAD
  for name, figures in FIGURES.items():
    ours, (frames, height, _) = cost(name), figures.clip_shape
    yield (
      f"| `{name}` | {frames} x {height} | {ours.params / 1e6:.3f} | "
      f"{figures.params / 1e6:.3f} | {ours.gmacs:.3f} | {figures.gmacs:.3f} | "
      f"{figures.paper} |"
    )


if __name__ == "__main__":
  for line in lines():
    print(line, flush=True)
