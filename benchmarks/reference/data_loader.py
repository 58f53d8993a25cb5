"""Batches of clips by torch's DataLoader, whose processes decode."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

Decode = Callable[[str], Sequence[np.ndarray]]


class Clips(torch.utils.data.Dataset):
  """Clips (T, S, S, 3) uint8 of files, randomly cropped."""

  def __init__(self, files: Sequence[str], decode: Decode, side: int):
    """Takes files, the function that reads one, and the crop's side."""
    self._files, self._decode, self._side = files, decode, side

  def __len__(self) -> int:
    return len(self._files)

  def __getitem__(self, index: int) -> torch.Tensor:
    frames = np.stack(self._decode(self._files[index]))
    if self._side:
      height, width = frames.shape[1:3]
      top = int(torch.randint(height - self._side + 1, ()))
      left = int(torch.randint(width - self._side + 1, ()))
      rows, columns = (slice(n, n + self._side) for n in (top, left))
      frames = np.ascontiguousarray(frames[:, rows, columns])
    return torch.from_numpy(frames)


def batches(
  files: Sequence[str], decode: Decode, side: int, *, batch: int, workers: int
) -> Iterator[torch.Tensor]:
  """Yields batches (B, T, H, W, 3), epoch after epoch without end.

  The processes are idle from the end of an epoch until the next batch is asked
  for.

  Args:
    files: Videos of an epoch.
    decode: Returns the resized frames of a file's clip; called in processes.
    side: Side of the random crop, in pixels; 0 leaves frames whole.
    batch: Clips per batch, B.
    workers: Number of processes that decode.
  """
  loader = torch.utils.data.DataLoader(
    Clips(files, decode, side),
    batch_size=batch,
    num_workers=workers,
    multiprocessing_context="spawn",  # A copy of jax's threads would hang.
    persistent_workers=True,
  )
  while True:
    yield from loader
