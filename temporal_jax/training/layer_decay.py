"""Learning rates that fall from a transformer's last block to its first."""

import re
from collections.abc import Sequence

from temporal_jax.training.parameter_names import first_fits, named
from temporal_jax.training.state import Tree

# ATM's. TAdaFormer has the class token and the positions before the blocks too:
# r"(patch_embedding|pre_norm|class_token|position_embedding)(/.*)?".
BEFORE_BLOCKS = r"(visual/)?(patch_embedding|pre_norm)/.*"
_BLOCK = re.compile(r"(visual/)?block(?P<number>\d+)/.*")  # From 1 on.


def layer_factors(
  params: Tree,
  decay: float,
  *,
  kept: Sequence[str] = (),
  before: str = BEFORE_BLOCKS,
) -> dict[str, float]:
  """Returns name -> factor of the learning rate.

  factor = decay ** (N + 1 - layer), of N blocks

  The layer is 0 for what comes before the blocks, k for the k-th block and
  N + 1 for all else: the head, say.

  Args:
    params: Parameters of a transformer, abstract or not, in which the k-th
      block is "block{k}" or "visual/block{k}".
    decay: Factor from a block to the one before it; 1 changes nothing, whatever
      the network.
    kept: Regexes of names with factor 1.
    before: Regex of the names of layer 0.

  Raises:
    ValueError: If the decay is not in (0, 1], there are no blocks, or a regex
      fits no name.

  Source: optim_factory.py of whwu95/ATM; models/utils/optimizer.py of
    alibaba-mmai-research/TAdaConv.
  """
  names = named(params)
  if not 0 < decay <= 1:
    raise ValueError(f"layer_decay must be in (0, 1], got {decay}.")
  if decay == 1:
    if kept:
      raise ValueError(f"layer_decay is 1, so that except {kept} says nothing.")
    return dict.fromkeys(names, 1.0)
  blocks = {
    name: int(match["number"]) for name in names if (match := _BLOCK.fullmatch(name))
  }
  if not blocks:
    raise ValueError(
      f"layer_decay {decay} is for transformers: no parameter is in a block1, "
      f"but {', '.join(sorted({name.split('/')[0] for name in names}))}."
    )
  last = max(blocks.values()) + 1
  first = first_fits("layer_decay_first", [before], names)
  exempt = first_fits("layer_decay_except", kept, names)

  def layer(name: str) -> int:
    if name in exempt:
      return last
    return 0 if name in first else blocks.get(name, last)

  return {name: decay ** (last - layer(name)) for name in names}
