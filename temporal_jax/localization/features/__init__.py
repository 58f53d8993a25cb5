"""Features of films: reading, resampling and cutting them."""

from temporal_jax.localization.features.film_features import (
  FeatureKind as FeatureKind,
  FilmFeatures as FilmFeatures,
  check_kind as check_kind,
  extraction_kind as extraction_kind,
  resample as resample,
)
from temporal_jax.localization.features.read_features import (
  FeatureFile as FeatureFile,
  FeatureSettings as FeatureSettings,
  describe_features as describe_features,
  read_features as read_features,
)
from temporal_jax.localization.features.store import (
  FeatureStore as FeatureStore,
  match_features as match_features,
)
from temporal_jax.localization.features.windows import (
  FeatureWindows as FeatureWindows,
  cut_windows as cut_windows,
  segments_inside as segments_inside,
)
