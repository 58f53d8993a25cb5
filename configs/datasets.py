"""The papers' data sets: their classes, and the size of their frames."""

from collections.abc import Collection

import ml_collections

from temporal_jax.lookup import near_names

# As in the names of the runs, and as papers and the catalog write them.
NAMES = {
  "ssv1": "Something-Something v1",
  "ssv2": "Something-Something v2",
  "k400": "Kinetics-400",
  "k600": "Kinetics-600",
  "k710": "Kinetics-710",
  "ek100": "EPIC-Kitchens-100",
  "hacs": "HACS",
  "mit": "Moments in Time",
  "anet": "ActivityNet 1.3",
  "charades": "Charades",
  "thumos14": "THUMOS14",
}
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
  """Sets the fields that follow from the data set.

  Args:
    config: Changed in place.
    name: As in the names of the runs, e.g. "ssv2".
    short_side: Short side of whole frames, in pixels, before they are cropped,
      in training and in tests.
  """
  is_something = name in SOMETHING_SOMETHING
  config.data.num_classes = _NUM_CLASSES[name]
  config.data.tasks = ("verb", "noun") if name == "ek100" else ()
  config.data.short_side = short_side
  # 4:3, except for Something-Something, which ATM stretches to 5:4.
  shape = 5 / 4 if is_something else 4 / 3
  config.data.canvas = (short_side, round(short_side * shape))
  config.data.flip_pairs = FLIP_PAIRS if is_something else ()


class UnknownRunError(ValueError):
  """A paper has no run of this name."""


def split_run(run: str, runs: Collection[str], paper: str) -> tuple[str, str]:
  """Returns the network and the data set that the name of a run consists of.

  Args:
    run: The argument of --config=PAPER:RUN, such as "vit_b16_ssv2".
    runs: All runs of the paper.
    paper: The name of its file, such as "atm".

  Raises:
    UnknownRunError: If the paper has no such run, with some that it has.
  """
  if run not in runs:
    near = near_names(run, runs) or [*runs][:3]
    some = " or ".join(f"{paper}:{name}" for name in near)
    met = f"has no run {run!r}" if run else "needs the name of a run"
    raise UnknownRunError(
      f"{paper} {met}, such as {some}; `temporal-jax configs "
      f'"{paper}:*"` lists all {len(runs)}.'
    )
  network, _, dataset = run.rpartition("_")
  return network, dataset
