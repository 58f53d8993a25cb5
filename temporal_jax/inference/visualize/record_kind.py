"""Records the outputs of a network's modules of one class."""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax

from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.inference.visualize.available_maps import Calls, refuse
from temporal_jax.inference.visualize.record_modules import Call, calls_of, record


def record_kind(
  saved: SavedModel,
  variables: Mapping[str, Any],
  clip: jax.Array,
  kind: type[nn.Module],
  what: str,
) -> tuple[Calls, dict[str, Call]]:
  """Runs a network on a clip, and finds the modules of a class.

  Args:
    saved: The network.
    variables: See `record`.
    clip: (T, H, W, 3) uint8.
    kind: The class of modules.
    what: Name of the picture that is made of their outputs, for the error
      message.

  Returns:
    All calls, and the last call of each module of the class by its name.

  Raises:
    ValueError: If the network has no such module.
  """
  calls = record(saved, variables, clip).calls
  found = calls_of(calls, kind)
  if not found:
    refuse(saved, calls, what)
  return calls, found
