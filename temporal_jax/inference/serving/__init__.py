"""A page on this machine where a video is dropped and looked at."""

from temporal_jax.inference.serving.access import check_token as check_token
from temporal_jax.inference.serving.limits import Limits as Limits
from temporal_jax.inference.serving.server import PageServer as PageServer
from temporal_jax.inference.serving.video_answer import VideoAnswerer as VideoAnswerer
