"""Fine-tunes a network on a folder of your own videos.

  python -m examples.fine_tune_folder DIR runs/mine
  python -m examples.fine_tune_folder DIR runs/mine --init-from runs/demo

DIR holds class/video.mp4. A fifth of each class is kept for the test. The same
call again goes on where it was stopped. `train.py --config=configs/finetune.py`
does the same by flags, and configs/base.py lists all that can be set.
"""

import argparse
import json
import pathlib
from collections.abc import Sequence

from temporal_jax import train, training
from temporal_jax.configs import finetune


def main(argv: Sequence[str] | None = None) -> float:
  """Trains, tests, and returns the accuracy on the test videos, in [0, 1]."""
  options = _parser().parse_args(argv)

  # A config is a tree of fields; it is locked, so a misspelt one raises.
  config = finetune.get_config()
  config.data.root = options.videos
  config.init_from = options.init_from
  config.num_steps = options.steps
  config.optim.warmup_steps = options.steps // 10
  # None takes the weights' network, and without weights the demo's.
  config.data.num_frames = options.frames
  config.data.image_size = options.image_size
  config.model.overrides.width = options.width

  # Ctrl-C and SIGTERM save, and the next call goes on from there.
  workdir = pathlib.Path(options.workdir)
  with training.StopRequest() as stop:
    train.run(config, workdir, stop)

  # Next to it: curves.png, confusion.png, predictions.png, checkpoints/, ...
  report = json.loads((workdir / "report.json").read_text())
  print(f"{report['top1']:.1%} of {report['clips_scored']} test videos.")
  return report["top1"]


def _parser() -> argparse.ArgumentParser:
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument("videos", metavar="DIR", help="class/video.mp4")
  parser.add_argument("workdir", metavar="WORKDIR", help="folder of all it writes")
  parser.add_argument(
    "--init-from",
    default="",
    help="converted weights or another run; the network is theirs",
  )
  parser.add_argument("--steps", type=int, default=200, help="steps of 8 videos each")
  parser.add_argument("--frames", type=int, help="frames of a clip")
  parser.add_argument("--image-size", type=int, help="side in pixels")
  parser.add_argument("--width", type=int, help="width of a ResNet")
  return parser


if __name__ == "__main__":
  main()
