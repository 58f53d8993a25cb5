"""The rule by which golden weights and inputs follow from their names.

Golden cases store neither. A tensor is drawn from the generator seeded by the
CRC-32 of its name, scaled in float64 and rounded to float32 last.
"""

import math
import re
import zlib

import numpy as np

_EMBEDDINGS = frozenset(
  (
    "class_embedding",
    "cls_token",
    "pos_embd",
    "pos_embed",
    "positional_embedding",
    "temp_embed",
    "time_embedding",
  )
)
# Last layers that would make features grow without bound, and their gains.
_GAINS = {"b_rf.b.weight": 0.02, "tada_proj.weight": 0.25}


def draw_input(name: str, shape: tuple[int, ...], salt: str) -> np.ndarray:
  """Returns the standard normal float32 input or cotangent `name`."""
  normal = _generator(f"{salt}input:{name}").standard_normal(shape)
  return normal.astype(np.float32)


def draw_weight(name: str, shape: tuple[int, ...], salt: str) -> np.ndarray:
  """Returns the tensor of the state_dict key `name` of torch's `shape`."""
  leaf = name.rpartition(".")[2]
  if leaf == "num_batches_tracked":
    return np.zeros(shape, np.int64)
  generator = _generator(salt + name)
  if leaf == "running_var":
    return generator.uniform(0.5, 1.5, shape).astype(np.float32)
  normal = np.asarray(generator.standard_normal(shape))
  if leaf == "logit_scale":
    value = 2.0 + 0.1 * normal
  elif leaf == "running_mean" or _is_embedding(name) or leaf.endswith("bias"):
    value = 0.1 * normal
  elif _is_scale(name, shape):
    value = 1.0 + 0.1 * normal
  else:
    value = normal * (_gain(name) / math.sqrt(_fan_in(leaf, shape)))
  return np.asarray(value, np.float32)


def _generator(key: str) -> np.random.Generator:
  return np.random.default_rng(zlib.crc32(key.encode()))


def _ends(name: str, path: str) -> bool:
  """Whether the dotted `name` ends with the whole components of `path`."""
  return f".{name}".endswith(f".{path}")


def _is_embedding(name: str) -> bool:
  leaf = name.rpartition(".")[2]
  return leaf in _EMBEDDINGS or _ends(name, "token_embedding.weight")


def _is_scale(name: str, shape: tuple[int, ...]) -> bool:
  """Whether the tensor multiplies channels: a norm, layer scale or alpha."""
  *path, leaf = name.split(".")
  if len(shape) <= 1:
    return leaf.endswith(("weight", "gamma", "alpha", "scale"))
  if len(shape) != 3 or shape[0] != 1 or shape[2] != 1:
    return False
  parts = [*path, leaf]
  of_norm = any("norm" in p or re.fullmatch("ln[0-9]*", p) for p in parts)
  return leaf == "scale" or (leaf == "weight" and of_norm)


def _gain(name: str) -> float:
  return next((g for path, g in _GAINS.items() if _ends(name, path)), 1.0)


def _fan_in(leaf: str, shape: tuple[int, ...]) -> int:
  if len(shape) >= 6 and shape[:2] == (1, 1):
    return math.prod(shape[3:])  # TAdaConv's base weight.
  if len(shape) == 2 and not leaf.endswith("weight"):
    return shape[0]  # Applied from the right, x @ P.
  return math.prod(shape[1:])
