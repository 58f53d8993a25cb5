"""Films that are made by code, and their features by a network."""

import pathlib
from collections.abc import Callable
from typing import NamedTuple

import ml_collections

from temporal_jax import inference
from temporal_jax.data.annotations.segment_list import read_segment_list
from temporal_jax.data.datasets.prepare import prepare_films
from temporal_jax.saved_networks.variables import digest

_BATCH_SIZE = 32  # Windows computed at once.


class PreparedFilms(NamedTuple):
  """Files of a prepared data set.

  Attributes:
    annotations: The CSV file of the films and their segments.
    features: The folder of their features.
  """

  annotations: pathlib.Path
  features: pathlib.Path


def prepare_data_set(
  data: ml_collections.ConfigDict,
  extract: ml_collections.ConfigDict,
  say: Callable[[str], None],
) -> PreparedFilms:
  """Writes the films of a data set and extracts their features.

  What is there is kept. Each network and each way to extract has its own folder
  of features.

  Args:
    data: The data set, see `configs/localization/base.py`.
    extract: The network and its windows, likewise.
    say: Called with a sentence before something that takes a while.

  Raises:
    ValueError: If films are given in two ways, the data set, the network or its
      feature is unknown, the feature has more than one axis, or a film cannot
      be read.
  """
  for field in ("annotations", "root", "features"):
    if data[field]:
      raise ValueError(
        f"data.name {data.name} is a data set with films and features of its own: "
        f"data.{field} must be empty, got {data[field]}."
      )
  folder = prepare_films(data.name, data.data_dir, say)
  annotations = folder / "segments.csv"
  extractor = inference.FeatureExtractor(
    inference.load_model(extract.model),
    extract.feature,
    window=extract.window,
    stride=extract.stride,
    batch_size=_BATCH_SIZE,
  )
  if len(extractor.shape) != 1:
    raise ValueError(
      f"config.extract.feature must be numbers, (C,) for each window, as pooled is; "
      f"{extract.feature} is {extractor.shape}."
    )
  weights = digest(extractor.saved.variables)[:12]
  feature = extractor.name.replace("/", "_")
  kind = f"{feature}_{extractor.window}_{extractor.stride}_{weights}"
  features = folder / "features" / kind
  films = read_segment_list(annotations).films
  files = {film.path: features / f"{film.id}.npz" for film in films}
  if not all(file.exists() for file in files.values()):
    say(f"extracting the features of {len(films)} films into {features}.")
  done = inference.extract_files(extractor, files)
  for film, reason in done.bad.items():
    raise ValueError(f"the features of {film} cannot be extracted: {reason}.")
  return PreparedFilms(annotations, features)
