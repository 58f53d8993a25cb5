"""`python -m temporal_jax` is `temporal-jax`."""

from temporal_jax.cli import main

if __name__ == "__main__":
  raise SystemExit(main())
