"""What every network can be asked: its slots, and which clips it is for."""

from typing import Any, ClassVar

import flax.linen as nn


class Network(nn.Module):
  """A network over clips.

  It takes any number of frames and any size, and its parameters follow from
  neither, unless a class says otherwise in `arguments_for`.
  """

  # The temporal slots that every network of a class has.
  SLOTS: ClassVar[tuple[str, ...]] = ()

  @property
  def reads_text(self) -> bool:
    """Whether a network reads texts beside clips, and compares them.

    It then has `projection`, the width D of the space of both, `context`, the
    longest text in tokens, and the method `encode_text`, which maps tokens
    (L, N) to features (L, D).
    """
    return False

  @nn.nowrap
  def is_framewise(self) -> bool:
    """Returns whether frames are independent except in the temporal slots.

    Everything else then looks at one frame at a time, whatever its number, and
    the clip's logits are the mean of those that its frames have.
    """
    return False

  @nn.nowrap
  def arguments_for(
    self, *, num_frames: int | None, image_size: int | None
  ) -> dict[str, Any]:
    """Returns the arguments that follow from the clips a network is for.

    Args:
      num_frames: Frames of a clip, positive; None for what the arguments say.
      image_size: Side of a frame, in pixels, likewise.

    Raises:
      ValueError: If the network cannot take such clips.
    """
    del num_frames, image_size
    return {}


def check_size(name: str, size: Any) -> None:
  """Raises ValueError unless a size is None or a positive integer."""
  if size is None:
    return
  if isinstance(size, bool) or not hasattr(size, "__index__") or size < 1:
    raise ValueError(f"{name} must be a positive integer, got {size!r}.")
