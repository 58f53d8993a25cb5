"""The base class of networks: slots, clip sizes, groups of parameters."""

from typing import Any, ClassVar, NamedTuple

import flax.linen as nn

from temporal_jax.validation import check_whole


class ParameterGroups(NamedTuple):
  """Parameters that are treated alike in training.

  A regex fits the whole name of a parameter, its path "block3/mlp/expand/bias".

  Attributes:
    before_blocks: Regex of parameters before the first of numbered blocks; ""
      without such blocks.
    blocks: Regex of parameters in a block, whose group "number" is the block's,
      from 1; "" without numbered blocks.
    tensor: (regex, axes of the dimensions) of parameters to split over the axis
      "tensor" of several devices, e.g. ("block1/mlp/expand/kernel", (None,
      "tensor")) for a kernel (C, C') split along C'. The first that fits
      counts.
  """

  before_blocks: str = ""
  blocks: str = ""
  tensor: tuple[tuple[str, tuple[str | None, ...]], ...] = ()


class VisualLayers(NamedTuple):
  """Layers that show what a network looks at.

  A regex fits the whole name of a module, its path "block3/attention". Of
  several the first that fits any module counts, and of the modules that it fits
  the last.

  Attributes:
    features: Regexes of modules whose output shows features.
    gradients: Regexes of modules whose output has the gradients of Grad-CAM.
    attention: Regex of the attention that rollout follows through the network;
      "" without one.
  """

  features: tuple[str, ...] = (".*",)
  gradients: tuple[str, ...] = (".*",)
  attention: str = ""


class Network(nn.Module):
  """A network over clips.

  It takes any number of frames and any size, and its parameters follow from
  neither, unless a class differs in `arguments_for`.
  """

  # The temporal slots that every network of a class has.
  SLOTS: ClassVar[tuple[str, ...]] = ()

  @property
  def reads_text(self) -> bool:
    """Whether a network reads texts as well as clips, and compares them.

    It then has `projection`, the width D of the space of both, `context`, the
    longest text in tokens, and the method `encode_text`, which maps tokens
    (L, N) to features (L, D).
    """
    return False

  @nn.nowrap
  def stages(self) -> dict[int, int]:
    """Returns the blocks of each stage, in the order of `Temporal.where`.

    Stages have the numbers that names of variables have: "stage3_block1". By
    default the field `stage_sizes` defines them, or there is one stage of
    `depth` blocks.
    """
    sizes = (
      self.stage_sizes if hasattr(self, "stage_sizes") else (getattr(self, "depth", 0),)
    )
    return dict(enumerate(sizes, start=1))

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
      num_frames: Frames of a clip, positive; None for those of the arguments.
      image_size: Side of a frame, in pixels, likewise.

    Raises:
      ValueError: If the network cannot take such clips.
    """
    del num_frames, image_size
    return {}

  @nn.nowrap
  def parameter_groups(self) -> ParameterGroups:
    r"""Returns groups of parameters that are treated alike in training.

    By default there are no numbered blocks, so no layer decay, and nothing to
    split over a "tensor" axis. For example, a transformer returns

      ParameterGroups(
        before_blocks=r"patch_embedding/.*", blocks=r"block(?P<number>\d+)/.*"
      )
    """
    return ParameterGroups()

  @nn.nowrap
  def visual_layers(self) -> VisualLayers:
    r"""Returns the layers that show what the network looks at.

    By default these are the last maps (B, T, H, W, C) of all. For example, a
    transformer returns

      VisualLayers(
        features=(r"block\d+",),
        gradients=(r"block\d+/norm1",),
        attention=r"block\d+/attention",
      )
    """
    return VisualLayers()


def check_size(name: str, size: Any) -> None:
  """Raises ValueError unless a size is None or an integer of at least 1."""
  if size is not None:
    check_whole(name, size, 1)
