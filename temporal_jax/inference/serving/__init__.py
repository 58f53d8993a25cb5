"""A page on this machine where a video is dropped and looked at."""

from temporal_jax.inference.serving.answering import VideoAnswerer
from temporal_jax.inference.serving.checks import is_loopback
from temporal_jax.inference.serving.server import PageServer
from temporal_jax.inference.serving.service import Limits

__all__ = [
  "Limits",
  "PageServer",
  "VideoAnswerer",
  "is_loopback",
]
