"""Batches of clips by torch's DataLoader, whose processes decode by PyAV."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

Decode = Callable[[str], Sequence[np.ndarray]]


class Clips(torch.utils.data.Dataset):
  """Clips (T, S, S, 3) uint8 of files, cropped at random."""

  def __init__(self, files: Sequence[str], decode: Decode, side: int):
    """Takes the files, what reads one, and the crop's side in pixels."""
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
  """Yields batches (B, T, H, W, 3), an epoch after the other without end.

  The processes have nothing to do from the end of an epoch until the next
  batch is asked for.

  Args:
    files: The videos of an epoch.
    decode: Returns the frames of a file's clip, resized; it goes to processes.
    side: Of the random crop, in pixels; 0 leaves frames whole.
    batch: Clips a batch, B.
    workers: Processes that decode.
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
