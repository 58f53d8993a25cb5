import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch

from temporal_jax import training


def test_warmup_cosine_follows_its_formula():
  schedule = training.warmup_cosine(
    2.0, warmup_steps=10, num_steps=110, end=0.5
  )
  for step, want in ((0, 0.0), (5, 1.0), (10, 2.0), (60, 1.25), (110, 0.5)):
    np.testing.assert_allclose(schedule(step), want, rtol=1e-5, atol=1e-7)
  plain = training.warmup_cosine(2.0, warmup_steps=0, num_steps=4)
  np.testing.assert_allclose(plain(0), 2.0)


@pytest.mark.parametrize("warmup", [-1, 10, 11])
def test_warmup_longer_than_the_run_is_refused(warmup):
  with pytest.raises(ValueError, match=r"warmup_steps must be in \[0"):
    training.warmup_cosine(1.0, warmup_steps=warmup, num_steps=10)


def _torch_optimizer(name, kernel, bias):
  groups = [
    {"params": [kernel], "weight_decay": 0.1},
    {"params": [bias], "weight_decay": 0.0},
  ]
  if name == "adamw":
    return torch.optim.AdamW(groups, lr=0.05)
  return torch.optim.SGD(groups, lr=0.05, momentum=0.8, nesterov=True)


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_steps_match_torch(name):
  rng = np.random.default_rng(0)
  params = {
    "kernel": rng.standard_normal((3, 4), np.float32),
    "bias": rng.standard_normal(4).astype(np.float32),
  }
  optimizer = training.create_optimizer(
    name,
    optax.constant_schedule(0.05),
    weight_decay=0.1,
    momentum=0.8,
    clip_norm=1.0,
  )
  state = optimizer.init(params)
  leaves = {n: torch.tensor(p, requires_grad=True) for n, p in params.items()}
  reference = _torch_optimizer(name, **leaves)
  for _ in range(5):
    grads = {
      n: rng.standard_normal(p.shape, np.float32) for n, p in params.items()
    }
    updates, state = optimizer.update(grads, state, params)
    params = optax.apply_updates(params, updates)
    for key, grad in grads.items():
      leaves[key].grad = torch.tensor(grad)
    torch.nn.utils.clip_grad_norm_(leaves.values(), 1.0)
    reference.step()
  for key, leaf in leaves.items():
    np.testing.assert_allclose(params[key], leaf.detach(), rtol=1e-4, atol=1e-5)


def test_no_limit_on_the_gradient():
  optimizer = training.create_optimizer(
    "sgd", optax.constant_schedule(1.0), weight_decay=0.0, momentum=0.0
  )
  params = {"kernel": jnp.zeros((2, 2))}
  grads = jax.tree.map(lambda p: p + 100.0, params)
  updates, _ = optimizer.update(grads, optimizer.init(params), params)
  np.testing.assert_allclose(updates["kernel"], -100.0)


def test_unknown_optimizer_is_refused():
  with pytest.raises(ValueError, match="optimizer must be in"):
    training.create_optimizer(
      "adam", optax.constant_schedule(1.0), weight_decay=0
    )
