"""Renumbers the classes of a source in the order of a run."""

from temporal_jax.data.labels import ClassNames, Label, by_task
from temporal_jax.data.sources import Source, Video, groups_of


class ReorderedSource:
  """A source with its classes numbered in another order."""

  def __init__(self, source: Source, class_names: ClassNames):
    """Wraps a source.

    Args:
      source: The videos.
      class_names: The names of its classes in the order to number them by, and
        maybe others among them; or a dict with one entry per task.

    Raises:
      ValueError: If a name of the source's classes is missing.
    """
    own = by_task(source.class_names)
    wanted = by_task(class_names)
    if list(own) != list(wanted) or any(
      not {*own[task]} <= {*wanted[task]} for task in own
    ):
      raise ValueError("class_names lack some of the source's class names.")
    self.class_names = class_names
    self.multi_label = source.multi_label
    self.groups = groups_of(source)
    self._source = source
    self._numbers = []  # For each task the new number of each old one.
    for task, names in own.items():
      number = {name: i for i, name in enumerate(wanted[task])}
      self._numbers.append([number[name] for name in names])

  def __len__(self) -> int:
    return len(self._source)

  def __getitem__(self, index: int) -> Video:
    video = self._source[index]
    return Video(**{**video, "label": self._renumber(video["label"])})

  def fingerprint(self) -> str:
    """Returns the source's fingerprint; it does not depend on numbers."""
    return self._source.fingerprint()

  def _renumber(self, label: Label) -> Label:
    if isinstance(label, tuple):
      return tuple(
        numbers[one] for numbers, one in zip(self._numbers, label, strict=True)
      )
    (numbers,) = self._numbers
    if isinstance(label, frozenset):
      return frozenset(numbers[one] for one in label)
    return numbers[label]
