"""Placeholder text features, for results that need no texts."""

import jax
import jax.numpy as jnp

from temporal_jax.models.network import Network


def stand_in_texts(network: Network, number: int) -> dict[str, jax.Array]:
  """Returns a network's inputs other than clips, without meaning.

  Args:
    network: One that compares clips with texts gets features of texts, all
      ones; the others get nothing.
    number: Texts, L.
  """
  if not network.reads_text:
    return {}
  return {"text": jnp.ones((number, network.projection), jnp.float32)}
