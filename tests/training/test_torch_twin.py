"""The same network, data and settings in torch and here, for 20 steps.

A small ResNet in training mode, of which the stem is frozen and the head learns
ten times as fast; vectors do not decay, and the gradient is clipped.
"""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from torch.nn import functional

import temporal_jax
from temporal_jax import training
from temporal_jax.training.parameter_groups import parameter_groups
from temporal_jax.training.parameter_names import named
from temporal_jax.training.schedule import create_schedule

STEPS, WARMUP, PEAK, DECAY, CLIP = 20, 4, 0.01, 0.1, 0.5
MODEL = temporal_jax.create_model(
  "resnet18",
  num_classes=3,
  temporal=None,
  width=4,
  stage_sizes=(1,),
  stem="3x3",
)


def _batch(step):
  rng = np.random.default_rng(step)
  clip = rng.standard_normal((6, 2, 8, 8, 3), np.float32)
  return clip, rng.integers(0, 3, 6)


@functools.cache
def _variables():
  """Fresh, but no scale or bias is 0: all have a gradient from step 0 on."""
  rng = np.random.default_rng(0)
  clip = jnp.asarray(_batch(0)[0])
  variables = jax.jit(MODEL.init)(jax.random.key(0), clip)
  params = jax.tree.map(
    lambda leaf: leaf + 0.3 * rng.standard_normal(leaf.shape, np.float32),
    variables["params"],
  )
  return {**variables, "params": params}


@jax.jit
def _gradient(params, clip, label):
  def loss(params):
    variables = {**_variables(), "params": params}
    (logits, _), _ = MODEL.apply(variables, clip, train=True, mutable=["batch_stats"])
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, label)
    return jnp.mean(losses)

  return jax.grad(loss)(params)


def _train(name):
  params = _variables()["params"]
  groups = parameter_groups(
    params,
    weight_decay=DECAY,
    lr_factors=(("head/.*", 10.0),),
    frozen=("stem_.*",),
  )
  schedule = create_schedule(
    "cosine", peak=PEAK, num_steps=STEPS, warmup_steps=WARMUP, start=0.001
  )
  optimizer = training.create_optimizer(
    name, schedule, groups, betas=(0.9, 0.98), momentum=0.8, clip_norm=CLIP
  )
  state, update = optimizer.init(params), jax.jit(optimizer.update)
  for step in range(STEPS):
    updates, state = update(_gradient(params, *_batch(step)), state, params)
    params = optax.apply_updates(params, updates)
  return named(params)


def _torch_logits(params, clip):
  """Frames are folded into the batch; the clip has the mean of their logits."""

  def conv_norm(x, conv, norm):
    kernel = params[f"{conv}/kernel"].permute(3, 2, 0, 1)
    x = functional.conv2d(x, kernel, padding=1)
    scale, bias = params[f"{norm}/scale"], params[f"{norm}/bias"]
    return functional.batch_norm(x, None, None, scale, bias, training=True)

  x = clip.flatten(0, 1).permute(0, 3, 1, 2)
  x = conv_norm(x, "stem_conv", "stem_norm").relu()
  y = conv_norm(x, "stage1_block1/conv1", "stage1_block1/norm1").relu()
  y = conv_norm(y, "stage1_block1/conv2", "stage1_block1/norm2")
  x = (x + y).relu()
  logits = x.mean((2, 3)) @ params["head/kernel"] + params["head/bias"]
  return logits.unflatten(0, clip.shape[:2]).mean(1)


def _torch_rate(step):
  if step < WARMUP:
    return 0.001 + (PEAK - 0.001) * step / WARMUP
  passed = (step - WARMUP) / (STEPS - WARMUP)
  return PEAK * (1 + math.cos(math.pi * passed)) / 2


def _torch_train(name):
  params = {
    key: torch.tensor(np.asarray(leaf), requires_grad="stem" not in key)
    for key, leaf in named(_variables()["params"]).items()
  }
  trained = {key: leaf for key, leaf in params.items() if leaf.requires_grad}
  groups = [
    {
      "params": [leaf],
      "weight_decay": DECAY if leaf.ndim > 1 else 0.0,
      "factor": 10.0 if key.startswith("head/") else 1.0,
    }
    for key, leaf in trained.items()
  ]
  if name == "adamw":
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98))
  else:
    optimizer = torch.optim.SGD(groups, momentum=0.8, nesterov=True)
  for step in range(STEPS):
    clip, label = map(torch.tensor, _batch(step))
    loss = functional.cross_entropy(_torch_logits(params, clip), label)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained.values(), CLIP)
    for group in optimizer.param_groups:
      group["lr"] = group["factor"] * _torch_rate(step)
    optimizer.step()
  return {key: leaf.detach().numpy() for key, leaf in params.items()}


@pytest.fixture
def _one_thread(monkeypatch):
  """oneDNN's gradients of these convolutions break the heap with one thread."""
  monkeypatch.setattr(torch.backends.mkldnn, "enabled", False)
  threads = torch.get_num_threads()
  torch.set_num_threads(1)
  yield
  torch.set_num_threads(threads)


@pytest.mark.usefixtures("_one_thread")
@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_twenty_steps_end_where_torch_ends(name):
  got, want = _train(name), _torch_train(name)
  first = named(_variables()["params"])
  assert got.keys() == want.keys()
  for key, leaf in want.items():
    moved = np.linalg.norm(leaf - first[key])
    assert (moved == 0) == key.startswith("stem_"), key
    distance = np.linalg.norm(got[key] - leaf)
    assert distance <= 2e-5 * np.linalg.norm(leaf), key
    assert distance <= 1e-3 * moved, key
