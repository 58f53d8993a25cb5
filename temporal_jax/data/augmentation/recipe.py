"""Recipes: operations in their order, as one string of a config.

"rand_augment('rand-m7-n4-mstd0.5-inc1', fill=128)|random_sized_crop|flip"
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from temporal_jax.config_strings import build_call, read_sequence
from temporal_jax.data.augmentation.auto_augment import AutoAugment
from temporal_jax.data.augmentation.color import ColorJitter, Grayscale
from temporal_jax.data.augmentation.crops import (
  MultiScaleCrop,
  RandomCrop,
  RandomSizedCrop,
)
from temporal_jax.data.augmentation.erasing import RandomErasing
from temporal_jax.data.augmentation.flip import Flip, directed
from temporal_jax.data.augmentation.normalize import Normalize
from temporal_jax.data.augmentation.operation import Operation, is_flow
from temporal_jax.data.augmentation.rand_augment import RandAugment
from temporal_jax.data.augmentation.sizes import Resize, ShortSideJitter

OPERATIONS: Mapping[str, type[Operation]] = MappingProxyType(
  {
    "auto_augment": AutoAugment,
    "color_jitter": ColorJitter,
    "flip": Flip,
    "grayscale": Grayscale,
    "multi_scale_crop": MultiScaleCrop,
    "normalize": Normalize,
    "rand_augment": RandAugment,
    "random_crop": RandomCrop,
    "random_erasing": RandomErasing,
    "random_sized_crop": RandomSizedCrop,
    "resize": Resize,
    "short_side_jitter": ShortSideJitter,
  }
)
# They know R, G and B.
_OF_COLORS = (AutoAugment, ColorJitter, Grayscale, RandAugment)
_RESAMPLE = (MultiScaleCrop, RandomCrop, RandomSizedCrop, Resize)


def parse(recipe: str) -> tuple[Operation, ...]:
  """Reads a recipe; `normalize` comes last, or before erasing, if not named.

  Nothing is evaluated: arguments are numbers, strings, tuples, True, False.

  Args:
    recipe: Operations separated by "|", each a name of `OPERATIONS`, with its
      arguments in brackets if any; "" for only normalisation.

  Raises:
    ValueError: If the recipe cannot be read, names an unknown operation or
      argument, gives a wrong value, or has an order that cannot be.
  """
  nodes = read_sequence(recipe, "recipe")
  operations = [build_call(node, OPERATIONS, "operation") for node in nodes]
  stages = [operation.stage for operation in operations]
  if not any(isinstance(operation, Normalize) for operation in operations):
    end = stages.index("normalized") if "normalized" in stages else len(stages)
    operations.insert(end, Normalize())
  _check_order(operations, recipe)
  return tuple(operations)


def check_flip(
  class_names: Sequence[str],
  recipe: str,
  pairs: Sequence[tuple[str, str]],
) -> None:
  """Refuses to mirror classes of the left or right without their pairs.

  Something-Something has three pairs: pulling, pushing and turning the camera.

  Args:
    class_names: Names of the classes.
    recipe: See `parse`; flip(keep_labels=True) is taken at its word.
    pairs: Classes that mirroring swaps, see `flipped_labels`.

  Raises:
    ValueError: If the recipe flips, no pairs are given, and names have left or
      right; it lists them.
  """
  flips = any(
    isinstance(operation, Flip) and not operation.keep_labels
    for operation in parse(recipe)
  )
  names = directed(class_names)
  if flips and not pairs and names:
    raise ValueError(
      f"the recipe {recipe!r} mirrors clips, but these classes have a "
      f"direction: {names}. Name those that mirroring swaps in "
      'config.data.flip_pairs = (("... left to right", "... right to left"), '
      "...), or leave the flip out."
    )


def check_channels(recipe: str, channels: int) -> None:
  """Refuses operations on colours where frames are optical flow.

  Args:
    recipe: See `parse`.
    channels: Channels of a frame.

  Raises:
    ValueError: If the recipe has one; it names all.
  """
  operations = parse(recipe)
  names = [_name(one) for one in operations if isinstance(one, _OF_COLORS)]
  if names and is_flow(channels):
    raise ValueError(
      f"the recipe {recipe!r} changes colours, by {', '.join(names)}; frames of "
      f"{channels} channels are optical flow, which has none."
    )


def _check_order(operations: Sequence[Operation], recipe: str) -> None:
  places = [
    place
    for place, operation in enumerate(operations)
    if isinstance(operation, Normalize)
  ]
  if len(places) > 1:
    raise ValueError(f"the recipe {recipe!r} normalizes twice.")
  for place, operation in enumerate(operations):
    name = _name(operation)
    if operation.stage == "pixels" and place > places[0]:
      raise ValueError(f"{name} must come before normalize in {recipe!r}.")
    if operation.stage == "normalized" and place < places[0]:
      raise ValueError(f"{name} must come after normalize in {recipe!r}.")
    if isinstance(operation, ShortSideJitter) and not any(
      isinstance(later, _RESAMPLE) for later in operations[place:]
    ):
      raise ValueError(f"a crop or resize must come after {name} in {recipe!r}.")


def _name(operation: Operation) -> str:
  return next(n for n, kind in OPERATIONS.items() if type(operation) is kind)
