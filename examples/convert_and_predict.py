"""Converts published weights once, then predicts the classes of videos.

  python -m examples.convert_and_predict resnet50.safetensors models/r50 \
    clip.mp4 --model resnet50 --labels labels.txt

The checkpoint is a .safetensors or .npz file, or a .pth file where torch is
installed, named as its authors do; the README lists those that are known.
"""

import argparse
import pathlib
from collections.abc import Sequence

import numpy as np

from convert_weights.__main__ import main as convert
from temporal_jax import data, inference
from temporal_jax.data.views.read_views import read_views


def main(argv: Sequence[str] | None = None) -> dict[str, str]:
  """Prints the likeliest classes; returns the first of each video."""
  options = _parser().parse_args(argv)

  # 1. Every tensor is used, every parameter is made, or nothing is written.
  if not pathlib.Path(options.directory).exists():
    words = [options.model, options.checkpoint, options.directory]
    settings = [word for one in options.set for word in ("--set", one)]
    convert([*words, "--labels", options.labels, *settings])

  # 2. The directory knows all: network, classes, pixel statistics, clips.
  saved = inference.load_model(options.directory)
  classify = inference.Classifier(saved, batch_size=1)

  # 3. A video becomes views, clips of uint8; their probabilities are averaged.
  best = {}
  for video in options.videos:
    with data.open_reader(video) as reader:
      views = read_views(reader, saved.protocol)
    probabilities = classify(views).mean(axis=0)
    order = np.argsort(probabilities)[::-1][:3]
    best[video] = saved.class_names[order[0]]
    words = (f"{saved.class_names[i]} {probabilities[i]:.1%}" for i in order)
    print(f"{video}: {', '.join(words)}")
  return best


def _parser() -> argparse.ArgumentParser:
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument("checkpoint", metavar="CHECKPOINT")
  parser.add_argument(
    "directory", metavar="DIR", help="folder of the converted network"
  )
  parser.add_argument("videos", nargs="+", metavar="VIDEO")
  parser.add_argument("--model", required=True, help="temporal-jax models")
  parser.add_argument("--labels", required=True, help="one class per line")
  parser.add_argument(
    "--set",
    action="append",
    default=[],
    metavar="KEY=VALUE",
    help="argument of the network, as in convert_weights",
  )
  return parser


if __name__ == "__main__":
  main()
