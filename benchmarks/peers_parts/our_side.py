"""A process that trains our network for two steps, without torch.

python -m benchmarks.peers_parts.our_side FOLDER

FOLDER is a saved network; it gets one clip of noise.
"""

import sys

import numpy as np

from benchmarks.shared.labels import label_tokens
from benchmarks.training_parts import our_step
from temporal_jax import inference


def main() -> None:
  """Reads the network and trains it."""
  saved = inference.load_model(sys.argv[1])
  pixels = np.random.default_rng(0).integers(0, 256, (1, *saved.clip_shape), np.uint8)
  labels = saved.class_names if saved.network.reads_text else ()
  step = our_step.compile_step(
    saved.network,
    saved.variables,
    pixels,
    mean=saved.pixels["mean"],
    std=saved.pixels["std"],
    optimizer="adamw",
    inputs=label_tokens(labels),
  )
  for _ in range(2):
    print(step.run())


if __name__ == "__main__":
  main()
