"""`python -m temporal_jax` is `temporal-jax`."""

from temporal_jax.cli import run_process

if __name__ == "__main__":
  raise SystemExit(run_process())
