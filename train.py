"""Trains and evaluates a video network: `temporal-jax train` of this folder.

Its flags are explained, and what they do is found, in temporal_jax/train.py.
"""

from temporal_jax.commands import train

if __name__ == "__main__":
  train.main("train.py")
