"""The papers' data sets: their classes, and the size of their frames."""

import ml_collections

SOMETHING_SOMETHING = ("ssv1", "ssv2")
# Its classes, spelled alike in both versions, that are mirror images.
FLIP_PAIRS = (
  (
    "Pulling something from left to right",
    "Pulling something from right to left",
  ),
  (
    "Pushing something from left to right",
    "Pushing something from right to left",
  ),
  (
    "Turning the camera left while filming something",
    "Turning the camera right while filming something",
  ),
)

_NUM_CLASSES = {
  "ssv1": (174,),  # Something-Something
  "ssv2": (174,),
  "k400": (400,),  # Kinetics
  "k600": (600,),
  "k710": (710,),
  "ek100": (97, 300),  # EPIC-Kitchens: verbs and nouns
  "hacs": (200,),
  "mit": (339,),  # Moments in Time
  "anet": (200,),  # ActivityNet 1.3
  "charades": (157,),
}


def use(config: ml_collections.ConfigDict, name: str, *, short_side: int = 256) -> None:
  """Sets what follows from the data set.

  Args:
    config: Changed in place.
    name: As in the names of the runs, e.g. "ssv2".
    short_side: Of whole frames, in pixels, before they are cropped, in training
      and in tests.
  """
  is_something = name in SOMETHING_SOMETHING
  config.data.num_classes = _NUM_CLASSES[name]
  config.data.tasks = ("verb", "noun") if name == "ek100" else ()
  config.data.short_side = short_side
  # 4:3, but for Something-Something, which ATM stretches to 5:4.
  shape = 5 / 4 if is_something else 4 / 3
  config.data.canvas = (short_side, round(short_side * shape))
  config.data.flip_pairs = FLIP_PAIRS if is_something else ()
