"""Augmentation of batches of uint8 clips on the device, inside jit."""

import dataclasses
from collections.abc import Sequence

import jax
import jax.numpy as jnp

from temporal_jax.data.augmentation import recipe as recipes
from temporal_jax.data.augmentation.flip import Flip
from temporal_jax.data.augmentation.operation import (
  Clip,
  Given,
  Labels,
  Operation,
  is_flow,
)
from temporal_jax.validation import check_whole


@dataclasses.dataclass(frozen=True)
class Augmentation:
  """Random changes of training clips by a recipe, then normalisation.

  Called as `augmentation(key, clip, label) -> (clip, label)` inside jit. Each
  clip has a key of its own, by its place in the batch, which all its frames
  share.

  Attributes:
    recipe: Operations in their order, see `recipe.parse`; "" for none.
    mean: Pixel mean of R, G, B, of values in [0, 1]; of optical flow one number
      for all channels, or one each.
    std: Pixel standard deviation, likewise.
    image_size: Side of the frames that the model takes, S, in pixels.
    channels: Channels of a frame, C: 3, or more for optical flow.
    flip_labels: Label of the mirrored clip for each label, of
      `flipped_labels`; () where mirroring changes none.
    repeats: Copies of each clip, R, changed independently.
  """

  recipe: str
  _: dataclasses.KW_ONLY
  mean: Sequence[float]
  std: Sequence[float]
  image_size: int
  channels: int = 3
  flip_labels: Sequence[int] = ()
  repeats: int = 1

  def __post_init__(self) -> None:
    check_whole("image_size", self.image_size, 1)
    check_whole("repeats", self.repeats, 1)
    check_whole("channels", self.channels, 1)
    allowed = {1, self.channels} if is_flow(self.channels) else {3}
    if not {len(self.mean), len(self.std)} <= allowed or min(self.std) <= 0:
      raise ValueError(
        f"mean and std must have {' or '.join(map(str, sorted(allowed)))} numbers "
        f"for {self.channels} channels, std positive, got "
        f"{self.mean} and {self.std}."
      )
    recipes.check_channels(self.recipe, self.channels)
    swaps = any(
      isinstance(operation, Flip) and not operation.keep_labels
      for operation in self.operations
    )
    if self.flip_labels and not swaps:
      raise ValueError(
        "labels to swap are given, but the recipe has no flip that swaps: "
        f"{self.recipe!r}."
      )

  @property
  def operations(self) -> tuple[Operation, ...]:
    """The operations of the recipe."""
    return recipes.parse(self.recipe)

  def __call__(
    self,
    key: jax.Array,
    clip: jax.Array,
    label: Labels,
    size: jax.Array | None = None,
  ) -> tuple[jax.Array, Labels]:
    """Changes and normalises a batch.

    Args:
      key: Random key.
      clip: (B, T, H, W, C) uint8.
      label: (B,) int32, or (B, L) of several labels per clip, or a dict of such
        arrays.
      size: (B, 2), height and width in pixels of the frames in their true
        proportion, if they were stretched to H x W; None if not.

    Returns:
      Clips (B R, T, S, S, C) float32 and their labels: copies of a clip next to
      each other, so that they stay on its device.

    Raises:
      ValueError: If clips, labels or sizes are of another shape or dtype,
        frames are not S x S in the end, or labels cannot be swapped.
    """
    self._check(clip, label, size)
    operations, count = self.operations, clip.shape[0]
    given = Given(self.image_size, self.mean, self.std, self.flip_labels)
    if size is None:
      size = jnp.broadcast_to(jnp.asarray(clip.shape[2:4]), (count, 2))

    def one_clip(
      key: jax.Array, place: jax.Array, *values: jax.Array
    ) -> tuple[jax.Array, Labels]:
      key, changed = jax.random.fold_in(key, place), Clip(*values)
      for step, operation in enumerate(operations):
        changed = operation(jax.random.fold_in(key, step), changed, given)
      return changed.frames, changed.label

    def one_copy(copy: jax.Array) -> tuple[jax.Array, Labels]:
      return jax.vmap(one_clip, in_axes=(None, 0, 0, 0, 0))(
        jax.random.fold_in(key, copy),
        jnp.arange(count),
        clip,
        label,
        size.astype(jnp.float32),
      )

    if self.repeats == 1:
      changed = one_copy(jnp.int32(0))
    else:  # One after the other, for the memory of one.
      copies = jax.lax.map(one_copy, jnp.arange(self.repeats))
      changed = jax.tree.map(
        lambda x: x.swapaxes(0, 1).reshape(-1, *x.shape[2:]), copies
      )
    if changed[0].shape[2:4] != (self.image_size, self.image_size):
      raise ValueError(
        f"the recipe {self.recipe!r} makes frames of "
        f"{changed[0].shape[2:4]}, the model takes squares of "
        f"{self.image_size}: let it crop or resize."
      )
    return changed

  def _check(self, clip: jax.Array, label: Labels, size: jax.Array | None) -> None:
    wanted = self.channels
    if clip.ndim != 5 or clip.shape[-1] != wanted or clip.dtype != jnp.uint8:
      raise ValueError(
        f"clips must be (B, T, H, W, {wanted}) uint8, got {clip.dtype}{clip.shape}."
      )
    count = clip.shape[0]
    if size is not None and size.shape != (count, 2):
      raise ValueError(
        f"sizes must be ({count}, 2), height and width, got {size.shape}."
      )
    shapes = [leaf.shape for leaf in jax.tree.leaves(label)]
    if not shapes or any(shape[:1] != (count,) for shape in shapes):
      raise ValueError(f"labels must be of {count} clips, got shapes {shapes}.")
    single = (
      hasattr(label, "shape")
      and label.ndim == 1
      and jnp.issubdtype(label.dtype, jnp.integer)
    )
    if self.flip_labels and not single:
      raise ValueError(
        "mirroring swaps single labels only, (B,) integers, got "
        f"{jax.tree.map(lambda leaf: (leaf.dtype.name, leaf.shape), label)}."
      )
