"""A temporal operator of your own, put into a backbone and trained.

  python -m examples.custom_operator

The operator adds to every frame its difference from the one before. It
fills the slot at the start of each residual branch of a ResNet, where TSM and
TAM sit. The task cannot be solved from single frames: does a clip grow bright,
or dark?
"""

import argparse
from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

import temporal_jax
from temporal_jax import models


class FrameDifference(nn.Module):
  """y[t] = x[t] + gate * (x[t] - x[t - 1]), a learned gate for each channel."""

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Maps (B, T, H, W, C) to the same shape, and nothing to look at."""
    gate = self.param("gate", nn.initializers.ones, x.shape[-1:])
    before = jnp.concatenate([x[:, :1], x[:, :-1]], axis=1)
    gate = gate.astype(x.dtype).reshape(1, 1, 1, 1, -1)
    return x + gate * (x - before), {}


def make_clips(key: jax.Array, number: int) -> tuple[jax.Array, jax.Array]:
  """Returns clips (B, 4, 16, 16, 3) that grow bright or dark, and which."""
  first, second = jax.random.split(key)
  labels = jax.random.bernoulli(first, 0.5, (number,)).astype(jnp.int32)
  noise = jax.random.normal(second, (number, 4, 16, 16, 3))
  slope = jnp.linspace(-1.5, 1.5, 4).reshape(1, 4, 1, 1, 1)
  sign = (2 * labels - 1).astype(jnp.float32).reshape(-1, 1, 1, 1, 1)
  return sign * slope + 0.3 * noise, labels


def main(argv: Sequence[str] | None = None) -> list[float]:
  """Trains, and returns the loss of each step."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument("--steps", type=int, default=30)
  options = parser.parse_args(argv)

  model = temporal_jax.create_model(
    "resnet18",
    num_classes=2,
    temporal=models.Temporal(branch_input=FrameDifference),
    **{"width": 8, "stage_sizes": (1,), "stem": "3x3"},
  )
  clips, labels = make_clips(jax.random.key(0), 16)
  variables = jax.jit(model.init)(jax.random.key(1), clips)
  optimizer = optax.sgd(0.05, momentum=0.9)
  state = optimizer.init(variables["params"])

  @jax.jit
  def step(variables, state, clips, labels):
    def loss_of(params):
      (logits, _), changed = model.apply(
        {**variables, "params": params},
        clips,
        train=True,
        mutable="batch_stats",
      )
      losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
      return losses.mean(), changed

    values = jax.value_and_grad(loss_of, has_aux=True)(variables["params"])
    (loss, changed), gradients = values
    updates, state = optimizer.update(gradients, state)
    params = optax.apply_updates(variables["params"], updates)
    return {"params": params, **changed}, state, loss

  losses = []
  for number in range(options.steps):
    variables, state, loss = step(variables, state, clips, labels)
    losses.append(float(loss))
    print(f"step {number}: loss {loss:.4f}")
  return losses


if __name__ == "__main__":
  main()
