r"""Estimates operators and training steps on GPUs that are not there.

  python -m benchmarks.gpu --compile-only [--chips h100 h200] [--only TEXT] \
    [--modes forward gradients] [--networks PATTERN ...] [--json FILE]

XLA compiles each case of benchmarks.operators for a GPU, in bfloat16, and the
text of what it compiled is read: no GPU is needed, only jax's CUDA plugin of
jax's version and cuDNN, 0.6 GB and 1.1 GB:

  pip install "jax[cuda12-local]" nvidia-cudnn-cu12 nvidia-cuda-nvcc-cu12

Installed into an environment without CUDA, the plugin prints an error whenever
jax starts; JAX_PLATFORMS=cpu avoids it, or a folder of its own:

  pip install --no-deps --target DIR jax-cuda12-plugin==VERSION_OF_JAX \
    jax-cuda12-pjrt==VERSION_OF_JAX nvidia-cudnn-cu12 nvidia-cuda-nvcc-cu12
  PYTHONPATH=DIR python -m benchmarks.gpu --compile-only

The columns are those of benchmarks.tpu. Here a product reaches the peak
whatever its sizes are, "kernels" is how many kernels a call starts, and
"library" how many of them are cuDNN's or cuBLAS's. Nothing is autotuned. The
figures can be trusted for bytes, for kernels and for what becomes a call of
cuDNN; they are no absolute times, and caches are left out.
"""

from benchmarks.compiled import jobs
from benchmarks.compiled.target import GPU


def main(argv: list[str] | None = None) -> None:
  """Estimates, see `jobs.run`."""
  parser = jobs.create_parser(__doc__, GPU)
  parser.add_argument(
    "--compile-only",
    action="store_true",
    required=True,
    help="estimate; nothing is run",
  )
  options = parser.parse_args(argv)
  jobs.check(parser, options, GPU)
  jobs.run(options, GPU)


if __name__ == "__main__":
  main()
