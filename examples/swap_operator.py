"""One backbone, several temporal operators: what each adds, and what it sees.

  python -m examples.swap_operator
  python -m examples.swap_operator --backbone vit_b32 \
    --operators none joint divided alignment

Every backbone has named temporal slots, and an operator is a value with the
layers in these slots. For each operator this prints the parameters it adds, and
by how much the answer changes if the clip is played backwards: not at all for
the backbone without an operator, which sees single frames, in any order.
"""

import argparse
import zlib
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

import temporal_jax
from temporal_jax.models.inspect import count

OPERATORS = ("none", "shift", "aggregation", "adaptive", "arithmetic")


def compare(
  backbone: str, operators: Sequence[str], frames: int, side: int, **overrides
) -> dict[str, float]:
  """Prints one line per operator; returns how much of the answer is order."""
  # Something that appears little by little.
  clip = jax.random.normal(jax.random.key(0), (1, 1, side, side, 3))
  clip = clip * jnp.linspace(0.0, 2.0, frames).reshape(1, -1, 1, 1, 1)

  changes, plain = {}, None
  for operator in operators:
    model = temporal_jax.create_model(
      backbone,
      num_classes=10,
      num_frames=frames,
      image_size=side,
      temporal=operator,
      **overrides,
    )
    shapes = jax.eval_shape(model.init, jax.random.key(1), clip)
    size = count.parameters(shapes)
    plain = plain or size

    # Most operators start as nothing, so that image weights keep their effect:
    # random values of all parameters replace the training.
    variables = jax.tree_util.tree_map_with_path(draw, shapes)
    apply = jax.jit(model.apply)
    answer, aux = apply(variables, clip)
    backwards, _ = apply(variables, clip[:, ::-1])
    change = jnp.linalg.norm(answer - backwards) / jnp.linalg.norm(answer)

    changes[operator] = float(change)
    print(
      f"{operator:14} {size / 1e6:8.3f} M ({size - plain:+,}), features "
      f"{aux['features'].shape}, backwards it differs by {change:.1%}"
    )
  return changes


def draw(path: tuple, leaf: jax.ShapeDtypeStruct) -> np.ndarray:
  """Returns random values for a parameter, or a statistic, of this name."""
  words = jax.tree_util.keystr(path)
  rng = np.random.default_rng(zlib.crc32(words.encode()))
  values = rng.standard_normal(leaf.shape, np.float32)
  if leaf.ndim > 1:  # A kernel: small enough for many layers in a row.
    return values / np.float32(1.3 * np.sqrt(leaf.size / leaf.shape[-1]))
  centre = 1 if words.endswith(("['scale']", "['var']")) else 0
  return centre + np.float32(0.1) * values


def main(argv: Sequence[str] | None = None) -> None:
  """Compares the operators."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument("--backbone", default="resnet18")
  parser.add_argument("--operators", nargs="+", default=OPERATORS)
  parser.add_argument("--frames", type=int, default=8, help="frames of the clip")
  parser.add_argument("--image-size", type=int, default=64, help="side in pixels")
  options = parser.parse_args(argv)
  compare(options.backbone, options.operators, options.frames, options.image_size)


if __name__ == "__main__":
  main()
