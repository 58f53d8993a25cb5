"""A process of transformers: its first answer, or two training steps.

python -m benchmarks.peers_parts.torch_side {answer,step} FOLDER CLIP

`save` wrote FOLDER; all frames of CLIP are read. An answer is the five
likeliest classes. JAX is not imported.
"""

import argparse
import json
import pathlib

import av
import numpy as np
import torch
import transformers
from torch import nn

from benchmarks.reference import hub
from benchmarks.training_parts import torch_step

_ABOUT = "benchmark.json"
transformers.utils.logging.disable_progress_bar()


def save(folder: pathlib.Path, network: nn.Module, pixels: dict) -> None:
  """Writes a network of `hub`.

  Args:
    folder: Folder to write.
    network: `hub.Clips` or `hub.LabelledClips`.
    pixels: Mean and std of the pixels, for each of R, G, B.
  """
  network.network.save_pretrained(folder)
  tokens = network.tokens.tolist() if hasattr(network, "tokens") else None
  about = {**pixels, "tokens": tokens}
  (folder / _ABOUT).write_text(json.dumps(about))


def load(folder: pathlib.Path) -> tuple[nn.Module, dict]:
  """Returns a network that `save` wrote, and the statistics of its pixels."""
  about = json.loads((folder / _ABOUT).read_text())
  (name,) = json.loads((folder / "config.json").read_text())["architectures"]
  network = getattr(transformers, name).from_pretrained(folder)
  if about["tokens"] is None:
    return hub.Clips(network), about
  return hub.LabelledClips(network, np.array(about["tokens"])), about


def read_clip(file: pathlib.Path, pixels: dict) -> torch.Tensor:
  """Returns all frames of a video (1, T, 3, H, W), normalised."""
  with av.open(str(file)) as video:
    frames = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
  clip = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2)[None].float() / 255
  mean, std = (torch.tensor(pixels[name]).view(-1, 1, 1) for name in ("mean", "std"))
  return (clip - mean) / std


def main() -> None:
  """Reads network and clip, and answers or trains."""
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("work", choices=["answer", "step"])
  parser.add_argument("folder", type=pathlib.Path)
  parser.add_argument("clip", type=pathlib.Path)
  parser.add_argument("--compiled", action="store_true", help="by torch.compile")
  parser.add_argument("--json", type=pathlib.Path, help="file of probabilities")
  options = parser.parse_args()
  network, pixels = load(options.folder)
  clip = read_clip(options.clip, pixels)
  run = torch.compile(network) if options.compiled else network
  if options.work == "step":
    step = torch_step.create(network, lambda: run(clip), batch=1, optimizer="adamw")
    for _ in range(2):
      print(step())
    return
  network.eval()
  with torch.inference_mode():
    probabilities = run(clip).softmax(-1)[0]
  print(probabilities.topk(min(5, len(probabilities))))
  if options.json:
    options.json.write_text(json.dumps(probabilities.tolist()))


if __name__ == "__main__":
  main()
