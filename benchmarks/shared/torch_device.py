"""The device that torch's side runs on."""

import torch


def name() -> str:
  """Returns "cuda" if torch sees a GPU, or "cpu"."""
  return "cuda" if torch.cuda.is_available() else "cpu"


def default_mode() -> str:
  """Returns the default mode of torch: "compiled" on a GPU, else "eager"."""
  return "compiled" if torch.cuda.is_available() else "eager"


def peak_bytes() -> int | None:
  """Returns the largest memory of all tensors so far, None without a GPU."""
  return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None


def wait() -> None:
  """Waits until the device has finished all work."""
  if torch.cuda.is_available():
    torch.cuda.synchronize()
