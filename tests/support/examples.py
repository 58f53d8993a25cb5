"""Examples of operators and of layers, for the tests that hold for all of them.

A test file in tests/ops or tests/layers declares `OPERATOR_EXAMPLES`, names and
`OperatorExample`s, or `LAYER_EXAMPLES`, names and `layer_example`s, of what it
tests. A name is that of the operator or layer; words may follow it.
"""

import functools
import importlib
import pathlib
import re
from collections.abc import Callable
from typing import NamedTuple

import flax.linen as nn
import jax
import numpy as np

# Axes after (clips, frames) in arrays of operators.
FRAME_MAP, FRAME_TOKENS, FRAME_HEADS = (5, 4, 6), (4, 6), (4, 2, 3)
# Axes after the axis of clips in arrays of layers.
CLIP_MAPS, CLIP_TOKENS = (4, 5, 6, 8), (4, 5, 8)
CLIP_PATCHES = (3, 17, 8)  # Tokens of 4 x 4 patches with a class token.
_TESTS = pathlib.Path(__file__).parents[1]


class OperatorExample(NamedTuple):
  """An operator with its options and the shapes of its arrays.

  Attributes:
    op: Called with the arrays of clips, then the shared ones.
    clips: Shapes of arrays of clips: what follows (clips, frames).
    shared: Shapes of arrays that all clips share.
    temporal: Whether it mixes frames, and tells the past from the future.
    symmetric: Whether it mixes frames, the past and the future alike.
    reverse_only: Whether it has gradients of its own, so that forward mode is
      refused. docs/operators.md names these.
    laws: Whether the laws of tests/ops/test_all.py hold. They do not for what
      returns several arrays, integers or a scalar, takes pairs or draws.
    lowering: Whether it is an operator once more, at a size for which another
      way is taken on CPU. The laws are not tested again.
  """

  op: Callable[..., jax.Array]
  clips: tuple[tuple[int, ...], ...]
  shared: tuple[tuple[int, ...], ...] = ()
  temporal: bool = False
  symmetric: bool = False
  reverse_only: bool = False
  laws: bool = True
  lowering: bool = False


class LayerExample(NamedTuple):
  """A layer with its options and the shapes of its arrays.

  Attributes:
    layer: Makes the layer.
    clips: Shapes of its arrays: what follows the axis of clips.
  """

  layer: functools.partial[nn.Module]
  clips: tuple[tuple[int, ...], ...]


def layer_example(layer, *clips, **options):
  """Returns an example of a layer, which takes `CLIP_MAPS` by default."""
  return LayerExample(functools.partial(layer, **options), clips or (CLIP_MAPS,))


def operator_examples():
  """Returns the examples of all operators by name, in alphabetical order."""
  return _collect("OPERATOR_EXAMPLES")


def layer_examples():
  """Returns the examples of all layers by name, in alphabetical order."""
  return _collect("LAYER_EXAMPLES")


def _collect(attribute):
  """Returns what test files declare; only those that do are imported.

  The others include those that ask for the examples.
  """
  found = {}
  paths = [path for part in ("ops", "layers") for path in (_TESTS / part).rglob("*.py")]
  for path in sorted(paths):
    if re.search(f"^{attribute} = ", path.read_text(), re.MULTILINE):
      parts = path.relative_to(_TESTS.parent).with_suffix("").parts
      declared = getattr(importlib.import_module(".".join(parts)), attribute)
      assert not declared.keys() & found.keys(), f"{path}: declared already"
      found |= declared
  return dict(sorted(found.items()))


def draw_arrays(example, batch=2, frames=4):
  """Draws an operator's arrays of clips, and those that all clips share."""
  rng = np.random.default_rng(0)
  clips = [
    rng.standard_normal((batch, frames, *shape), np.float32) for shape in example.clips
  ]
  shared = [rng.standard_normal(shape, np.float32) for shape in example.shared]
  return clips, shared


def draw_clips(example, batch=2):
  """Draws a layer's arrays."""
  rng = np.random.default_rng(0)
  return [rng.standard_normal((batch, *shape), np.float32) for shape in example.clips]
