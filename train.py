"""Trains and evaluates a video network; `temporal-jax train` is the same.

temporal_jax/train.py explains its flags.
"""

from temporal_jax.commands import train

if __name__ == "__main__":
  train.main("train.py")
