"""Learning rates that fall from a transformer's last block to its first."""

import re
from collections.abc import Sequence

from temporal_jax.training.low_rank import adapted_kernel
from temporal_jax.training.parameter_names import first_fits, named
from temporal_jax.training.state import Tree


def layer_factors(
  params: Tree,
  decay: float,
  *,
  blocks: str,
  before: str,
  kept: Sequence[str] = (),
) -> dict[str, float]:
  r"""Returns name -> factor of the learning rate.

  factor = decay ** (N + 1 - layer), of N blocks

  The layer is 0 for parameters before the blocks, k for the k-th block and
  N + 1 for all else: the head, say. Factors of a kernel are in its layer.

  Args:
    params: Parameters of a network with numbered blocks, abstract or not.
    decay: Factor from a block to the one before it; 1 changes nothing, whatever
      the network.
    blocks: Regex of the names within a block, with a group "number", e.g.
      r"block(?P<number>\d+)/.*"; "" for a network without such blocks.
    before: Regex of the names of layer 0. ATM has the patch embedding there,
      TAdaFormer the class token and the positions too.
    kept: Regexes of names with factor 1.

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
      raise ValueError(f"layer_decay is 1, so that except {kept} has no effect.")
    return dict.fromkeys(names, 1.0)
  numbers = {
    name: int(match["number"])
    for name in names
    if blocks and (match := re.fullmatch(blocks, name))
  }
  if not numbers:
    raise ValueError(
      f"layer_decay {decay} is for transformers: no parameter is in a block1, "
      f"but {', '.join(sorted({name.split('/')[0] for name in names}))}."
    )
  last = max(numbers.values()) + 1
  first = first_fits("layer_decay_first", [before], names)
  exempt = first_fits("layer_decay_except", kept, names)

  def layer(name: str) -> int:
    kernel = adapted_kernel(name)
    if name in exempt or kernel in exempt:
      return last
    return 0 if kernel in first else numbers.get(kernel, last)

  return {name: decay ** (last - layer(name)) for name in names}
