"""What config.json of `save_pretrained` says and tensors do not show."""

from collections.abc import Iterator, Mapping
from typing import Any

from temporal_jax import ops
from temporal_jax.models.network import Network

_ACTIVATIONS = {"gelu": ops.gelu, "quick_gelu": ops.quick_gelu}


def check(config: Mapping[str, Any], network: Network) -> Iterator[str]:
  """Yields what the user should know, a line each.

  Args:
    config: Of a vision transformer of transformers; other networks' are not
      looked at.
    network: The network that its weights go into.

  Raises:
    ValueError: If the network computes something else with such weights.
  """
  if config.get("model_type") not in ("vit", "vit_mae", "vit_msn"):
    return
  heads = config.get("num_attention_heads", network.num_heads)
  if heads != network.num_heads:
    raise ValueError(
      f"num_attention_heads is {heads} in config.json, num_heads is "
      f"{network.num_heads} in the network: set num_heads={heads} (--set)."
    )
  name = config.get("hidden_act", "gelu")
  if _ACTIVATIONS.get(name) is not network.activation:
    raise ValueError(
      f"hidden_act is {name!r} in config.json; the network computes "
      f"{network.activation.__name__!r}."
    )
  epsilon = config.get("layer_norm_eps", network.epsilon)
  if epsilon != network.epsilon:
    yield (
      f"layer_norm_eps is {epsilon} in config.json, epsilon is "
      f"{network.epsilon} in the network; --set epsilon={epsilon} changes it."
    )
