"""Zero-shot classification of clips by texts of labels."""

from collections.abc import Sequence

import jax
from absl import logging

from temporal_jax.inference.runtime.classifier import Classifier
from temporal_jax.inference.runtime.prompts import PLAIN, check_labels, parse_templates
from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.inference.runtime.text_encoder import TextEncoder, check_reads_texts


def with_labels(
  saved: SavedModel, labels: Sequence[str], *, templates: Sequence[str] = PLAIN
) -> SavedModel:
  """Returns a network that predicts these labels instead of its classes.

  Whatever takes a saved network takes it too. A stored temperature is of the
  network's own classes: it is left out, with a warning.

  Args:
    saved: A network that reads texts: one with head "text".
    labels: L names or sentences.
    templates: See `prompts.parse_templates`.

  Raises:
    ValueError: If the network reads no texts, or see `prompts.check_labels` and
      `prompts.parse_templates`.
  """
  check_reads_texts(saved)
  labels, templates = check_labels(labels), parse_templates(templates)
  own = dict(saved.description)
  if (temperature := own.pop("temperature", None)) is not None:
    logging.warning(
      "the temperature %s of %s is left out, because it fits other classes than these "
      "labels.",
      *(temperature, saved.name),
    )
  description = {
    **own,
    "num_classes": len(labels),
    "class_names": labels,
    "templates": templates,
  }
  return saved._replace(class_names=labels, description=description)


class ZeroShot(Classifier):
  """Probabilities of labels that may change; only their number compiles anew.

  Attributes:
    saved: The network with its labels, see `with_labels`.
    batch_size: Clips computed at once, B.
    clip_shape: (T, H, W, 3) of its clips.
  """

  def __init__(
    self,
    saved: SavedModel,
    labels: Sequence[str],
    *,
    templates: Sequence[str] = PLAIN,
    batch_size: int = 8,
    clip_shape: tuple[int, ...] | None = None,
  ):
    """Encodes the labels; the network is compiled with the first clips.

    Args:
      saved: A network that reads texts.
      labels: L names or sentences.
      templates: See `prompts.parse_templates`.
      batch_size: Clips computed at once.
      clip_shape: (T, H, W, 3) of its clips; by default the network's own.

    Raises:
      ImportError: If the extra "text" is not installed.
      ValueError: See `with_labels`; or if a label has too many tokens, or
        `batch_size` is below 1.
    """
    saved = with_labels(saved, labels, templates=templates)
    super().__init__(saved, batch_size=batch_size, clip_shape=clip_shape)
    self._encode = TextEncoder(saved)

  @property
  def labels(self) -> tuple[str, ...]:
    """The labels, in the order of the probabilities."""
    return self.saved.class_names

  def set_labels(self, labels: Sequence[str]) -> None:
    """Takes other labels from now on, in the same templates.

    Raises:
      ValueError: If they cannot be taken; those from before stay.
    """
    templates = self.saved.description["templates"]
    saved = with_labels(self.saved, labels, templates=templates)
    text = self._encode(saved.class_names, templates)
    self._variables["inputs"] = jax.device_put({"text": text})
    self.saved = saved
