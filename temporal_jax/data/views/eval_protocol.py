"""The test protocol: views of each video, and the fusion of scores."""

import dataclasses
from collections.abc import Mapping

from temporal_jax.data import sampling
from temporal_jax.data.augmentation.flip import directed
from temporal_jax.data.labels import ClassNames
from temporal_jax.validation import check_choice, check_whole

NUM_CROPS = (1, 3, 10)
CROP_RULES = ("exact", "rounded_up", "halves", "quarters")
FUSIONS = ("softmax", "logits")


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvalProtocol:
  """All settings that a test's score depends on, except weights and videos.

  As JSON it is `dataclasses.asdict(protocol)`, and is read back by
  `EvalProtocol(**record)`.

  Attributes:
    num_frames: Frames in a clip, T.
    sampling: Rule that chooses the frames, see `sampling.parse_sampling`.
    stride: Stride of "dense", in frames.
    num_clips: Clips of a video, K.
    num_crops: Number of crops of each clip: 1, the middle; 3, along the longer
      side; 10, the corners and the middle, each as it is and mirrored.
    crop_size: Side of the square crops, in pixels.
    short_side: Pixels to which a frame's shorter side is resized before; None
      keeps its size.
    stretch: Height and width to which frames are resized instead, whatever
      their proportions; None keeps these.
    crop_rule: Places of the crops, and their order, see
      `read_views.crop_places`.
    fusion: The score of a video: "softmax", the mean of its views'
      probabilities, or "logits", the softmax of the mean of their logits.
    square_pixels: Whether frames of a file are widened or narrowed before, so
      that their pixels are square, see `readers.open_reader`.
  """

  num_frames: int
  crop_size: int
  sampling: str = "segments"
  stride: int = 1
  num_clips: int = 1
  num_crops: int = 1
  short_side: int | None = None
  stretch: tuple[int, int] | None = None
  crop_rule: str = "exact"
  fusion: str = "softmax"
  square_pixels: bool = False

  def __post_init__(self) -> None:
    sampling.check(self.sampling, self.num_frames, self.stride, self.num_clips)
    check_choice("num_crops", self.num_crops, NUM_CROPS)
    check_whole("crop_size", self.crop_size, 1)
    check_choice("crop_rule", self.crop_rule, CROP_RULES)
    check_choice("fusion", self.fusion, FUSIONS)
    if self.stretch is not None:
      self._check_stretch()
      object.__setattr__(self, "stretch", tuple(self.stretch))
    elif self.short_side is not None:
      check_whole("short_side", self.short_side, self.crop_size)

  def _check_stretch(self) -> None:
    if self.short_side is not None:
      raise ValueError(
        f"frames are resized by short_side {self.short_side} or to stretch "
        f"{self.stretch}, not both."
      )
    if len(self.stretch) != 2:
      raise ValueError(f"stretch must be (height, width), got {self.stretch}.")
    for side in self.stretch:
      check_whole("stretch", side, self.crop_size)

  @property
  def num_views(self) -> int:
    """Views of a video: its clips, each with all its crops."""
    return self.num_clips * self.num_crops

  def single_view(self) -> "EvalProtocol":
    """Returns the protocol of one clip in the middle, and its middle crop."""
    return dataclasses.replace(self, num_clips=1, num_crops=1)

  def describe(self) -> str:
    """Returns the protocol in words, for reports."""
    resized = "frames as they are"
    if self.stretch is not None:
      resized = "frames stretched to {} x {}".format(*self.stretch)
    elif self.short_side is not None:
      resized = f"a short side of {self.short_side}"
    rule = sampling.describe_sampling(self.sampling, self.stride)
    if self.square_pixels:
      resized += " with square pixels"
    return (
      f"{self.num_clips} x {self.num_crops} views (clips x crops) of "
      f"{self.num_frames} frames by {rule}, {self.crop_size} x "
      f"{self.crop_size} pixels of {resized} ({self.crop_rule}), mean of "
      f"{self.fusion}"
    )


def check_mirrored(protocol: EvalProtocol, class_names: ClassNames) -> None:
  """Refuses mirrored views of classes with "left" or "right" in the name.

  Args:
    protocol: Protocol of the test; only protocols with 10 crops mirror.
    class_names: Names of the classes, or a dict with one entry per task.

  Raises:
    ValueError: If there are both; it lists the classes.
  """
  if protocol.num_crops != 10:
    return
  if isinstance(class_names, Mapping):
    class_names = sum(class_names.values(), ())
  names = directed(class_names)
  if names:
    raise ValueError(
      "half of 10 crops are mirrored, but these classes have a direction: "
      f"{names}. Use 1 or 3 crops, by --config.eval.num_crops or --views."
    )
