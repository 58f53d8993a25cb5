"""A page on this machine where a video is dropped and looked at."""

from temporal_jax.inference.serving.limits import Limits
from temporal_jax.inference.serving.request_checks import is_loopback
from temporal_jax.inference.serving.server import PageServer
from temporal_jax.inference.serving.video_answer import VideoAnswerer

__all__ = [
  "Limits",
  "PageServer",
  "VideoAnswerer",
  "is_loopback",
]
