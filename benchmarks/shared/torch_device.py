"""The device that torch's side runs on."""

import torch


def name() -> str:
  """Returns "cuda" if torch sees a GPU, or "cpu"."""
  return "cuda" if torch.cuda.is_available() else "cpu"


def wait() -> None:
  """Waits until the device has finished all work."""
  if torch.cuda.is_available():
    torch.cuda.synchronize()
