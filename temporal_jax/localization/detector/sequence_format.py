"""Turns a film into the sequences that a network takes."""

import dataclasses

from temporal_jax.validation import check_choice, check_number, check_whole

PAD, RESAMPLE, WINDOWS = "pad", "resample", "windows"
# Most positions: a film of nine hours has as many, four per second.
MAX_POSITIONS = 2**17
FITS = (PAD, RESAMPLE, WINDOWS)


@dataclasses.dataclass(frozen=True)
class SequenceFormat:
  """Format of the sequences that are made of a film.

  Attributes:
    fit: "pad", the whole film, filled up; "resample", the whole film with
      `length` positions; or "windows", windows of `length` positions.
    length: Positions of a sequence. With "pad" only in training, where longer
      films are cropped.
    step: Positions from one window to the next; 0 without windows.
    every: Positions of the features from one of a sequence to the next; films
      are resampled to it first. 1 with "resample".

  Raises:
    ValueError: If a value is out of range, or does not go with `fit`.
  """

  fit: str
  length: int
  step: int = 0
  every: float = 1.0

  def __post_init__(self) -> None:
    check_choice("fit", self.fit, FITS)
    # Resampling keeps the first and the last position.
    check_whole("length", self.length, 2)
    check_whole("step", self.step, 0)
    check_number("every", self.every, 2**-10, 2**10)
    if (self.fit == WINDOWS) != (self.step > 0) or self.step > self.length:
      raise ValueError(
        f"step must be 1 to {self.length}, the length, with windows, and 0 with "
        f"{PAD} and {RESAMPLE}, got {self.step} with {self.fit}."
      )
    if self.fit == RESAMPLE and self.every != 1:
      raise ValueError(f"every must be 1 with {RESAMPLE}, got {self.every}.")
