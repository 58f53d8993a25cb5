"""A small network of features and a detector for them, saved."""

from temporal_jax import inference
from temporal_jax.inference.extract.feature_files import extraction_settings
from temporal_jax.localization import save_detector
from temporal_jax.localization.features import extraction_kind
from tests.support.tiny_detectors import tiny_detector
from tests.support.tiny_predictor import save_tiny

WINDOW, STRIDE = 4, 2


def save_pair(folder, name="pad"):
  """Writes both to a folder, "network" and "detector"; returns their paths."""
  network = save_tiny(folder / "network")
  return network, save_detector_for(network, folder / "detector", name)


def save_detector_for(network, directory, name="pad", *, window=WINDOW, stride=STRIDE):
  """Writes a detector with random weights for the features of a network."""
  extractor = inference.FeatureExtractor(
    inference.load_model(network), window=window, stride=stride
  )
  settings = extraction_settings(extractor, None)
  kind = extraction_kind(*extractor.shape, stride, window, settings)
  detector, description = tiny_detector(name, kind=kind)
  save_detector(directory, detector.variables, description)
  return directory
