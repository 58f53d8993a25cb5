"""Write a network as a file that runs elsewhere, with a card about it."""

import argparse

from temporal_jax.commands.shared.arguments import add_model, path

COMPUTES = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
  """Adds the arguments of `export`."""
  parser.add_argument(
    "out",
    type=path,
    metavar="OUT",
    help="directory to write; must not exist",
  )
  add_model(parser)
  parser.add_argument(
    "--format",
    required=True,
    choices=("stablehlo", "onnx", "savable"),
    help="stablehlo runs where only JAX is installed, onnx in onnxruntime; "
    "savable is the weights as safetensors, for --model, init_from and the hub",
  )
  parser.add_argument(
    "--platforms",
    nargs="+",
    choices=("cpu", "cuda", "rocm", "tpu"),
    help="platforms that a stablehlo runs on (all)",
  )
  parser.add_argument(
    "--batch-size",
    type=int,
    metavar="N",
    help="clips that it takes at once (any number)",
  )
  parser.add_argument(
    "--dtype",
    default="float32",
    choices=("float32", "bfloat16"),
    help="dtype of the activations of a stablehlo (%(default)s)",
  )
  parser.add_argument(
    "--weights",
    default="float32",
    choices=("float32", "int8"),
    help="dtype of the weights in the file; int8 kernels are a quarter of the size "
    "(%(default)s)",
  )


def run(options: argparse.Namespace) -> int:
  """Returns 0: the directory is written."""
  from temporal_jax.inference.export import export_model

  card = export_model(
    options.model,
    options.out,
    format=options.format,
    platforms=options.platforms,
    batch_size=options.batch_size,
    dtype=options.dtype,
    weights=options.weights,
  )
  artifact = card["artifact"]
  words = f"{options.out}: {card['architecture']} as {options.format}"
  if "bytes" in artifact:
    words += f", {artifact['bytes'] / 1e6:.1f} MB"
  if "largest_difference" in artifact:
    words += f"; probabilities differ by {artifact['largest_difference']:.1e} at most"
  print(f"{words}. See {options.out / 'README.md'}.")
  return 0
