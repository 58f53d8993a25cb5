"""Runs `temporal-jax serve` with an answerer that never ends, see test_ending.

The network is left out: what is tested is how the process ends.
"""

import signal
import sys
import time

from temporal_jax import cli
from temporal_jax.commands.shared import output
from temporal_jax.inference import serving


class Endless:
  """Looks at a video for a minute."""

  settings = {}  # noqa: RUF012
  sample = None

  def __init__(self, saved, *, localizer, max_seconds):
    """Takes what the command gives."""

  def __call__(self, path):
    print("looking", flush=True)
    time.sleep(60)


if __name__ == "__main__":
  # Whoever runs the tests in the background made it ignored.
  signal.signal(signal.SIGINT, signal.default_int_handler)
  output.begin_loading = str
  serving.VideoAnswerer = Endless
  sys.exit(cli.main(["serve", "model", "--port", "0"]))
