"""The two-layer perceptron of a transformer."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax.ops import shape_checks
from temporal_jax.ops.activations import Activation, find_activation


class Mlp(nn.Module):
  """Dense, activation, Dense, with dropout after each if asked for.

  Attributes:
    hidden: Width of the hidden layer.
    features: Width of the output, by default the input's.
    activation: Function between the layers, or its name: "gelu" (exact) or
      "quick_gelu".
    dropout: Rate; takes the "dropout" rng.
    kernel_init: Initialiser of both kernels.
    dtype: Dtype of the computation.
  """

  hidden: int
  features: int | None = None
  activation: str | Activation = "gelu"
  dropout: float = 0.0
  kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()
  dtype: jax.typing.DTypeLike = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
    """Maps (..., D) to (..., features).

    Raises:
      ValueError: If `features` is below 1, or the activation is unknown.
    """
    drop = nn.Dropout(self.dropout, deterministic=not train)
    features = shape_checks.given_or(x.shape[-1], features=self.features)
    settings = {"kernel_init": self.kernel_init, "dtype": self.dtype}
    x = nn.Dense(self.hidden, name="expand", **settings)(x)
    x = drop(find_activation(self.activation)(x))
    return drop(nn.Dense(features, name="contract", **settings)(x))
