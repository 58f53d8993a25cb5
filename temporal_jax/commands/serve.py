"""Serve a page where a video is dropped and looked at.

The page shows the likeliest classes of the video, when they are seen, and
where the network looked; and, with a detector, from when to when things happen.
Only this machine reaches it, unless --host is another address, which needs a
token: the page asks for it, and programs send "Authorization: Bearer TOKEN".
TEMPORAL_JAX_TOKEN in the environment keeps it out of lists of processes, which
show --token. A video is kept in a temporary folder until it is answered, and is
then deleted.
"""

import argparse
import contextlib
import os
import signal
import sys

from temporal_jax.commands.shared import output
from temporal_jax.commands.shared.arguments import short_name

COMPUTES = True
TOKEN = "TEMPORAL_JAX_TOKEN"  # Variable of the environment.


def add_arguments(parser: argparse.ArgumentParser) -> None:
  """Adds the arguments of `serve`."""
  parser.add_argument(
    "model",
    metavar="DIR",
    help="folder that convert_weights wrote, the workdir of a run, an address "
    "hf://org/name, or camera_motion",
  )
  parser.add_argument(
    "--localizer",
    metavar="DIR",
    help="a detector, whose segments are shown under the film",
  )
  parser.add_argument(
    "--features",
    metavar="DIR",
    help="the network that makes the features of the detector (the served one)",
  )
  parser.add_argument(
    "--host",
    default="127.0.0.1",
    help="address or name of this machine to serve at (%(default)s)",
  )
  parser.add_argument(
    "--token",
    default="",
    help="token that users must enter, 16 or more characters "
    "(TEMPORAL_JAX_TOKEN of the environment)",
  )
  parser.add_argument(
    "--port",
    type=int,
    default=8000,
    help="port to serve at; 0 for one that is free (%(default)s)",
  )
  parser.add_argument(
    "--max-size",
    type=int,
    default=200,
    metavar="MB",
    help="size of the largest file (%(default)s)",
  )
  parser.add_argument(
    "--max-seconds",
    type=int,
    default=600,
    metavar="SECONDS",
    help="length of the longest video (%(default)s)",
  )


def run(options: argparse.Namespace) -> int:
  """Serves until it is interrupted."""
  print(f"Loading {options.model} ...", file=sys.stderr, flush=True)
  from temporal_jax.inference import Localizer, serving

  token = options.token or os.environ.get(TOKEN, "")
  serving.check_token(options.host, token)  # Before the network is read.
  limits = serving.Limits(max_bytes=options.max_size * 1_000_000)
  if options.features and not options.localizer:
    raise ValueError("--features goes with --localizer, the detector's folder.")
  model, localizer = output.begin_loading(options.model), None
  if options.localizer:
    localizer = Localizer(options.localizer, features=options.features or model)
  answerer = serving.VideoAnswerer(
    model, localizer=localizer, max_seconds=options.max_seconds
  )
  # Ending the process by an exception also removes the files that it holds.
  signal.signal(signal.SIGTERM, signal.default_int_handler)
  with serving.PageServer(
    answerer,
    host=options.host,
    port=options.port,
    token=token,
    limits=limits,
    settings={"name": short_name(options.model), **answerer.settings},
    sample=answerer.sample,
  ) as server:
    print(f"{server.url} (Ctrl-C ends it)", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
      server.serve_forever()
    for number in (signal.SIGINT, signal.SIGTERM):
      signal.signal(number, signal.SIG_IGN)
    if server.service.is_answering:
      print(
        f"Ending; the video in hand has {limits.ending:g} s more.",
        file=sys.stderr,
      )
  if server.service.is_answering:
    # The interpreter would crash under a thread that still computes.
    sys.stderr.flush()
    os._exit(0)
  return 0
