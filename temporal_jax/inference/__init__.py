"""Trained networks in use."""

from temporal_jax.inference.annotate import annotate
from temporal_jax.inference.export import export_model
from temporal_jax.inference.extract.feature_files import (
  Extracted,
  extract_files,
  output_files,
)
from temporal_jax.inference.extract.feature_windows import FeatureExtractor
from temporal_jax.inference.extract.features import feature_shapes
from temporal_jax.inference.find_videos import list_videos
from temporal_jax.inference.parse_views import with_views
from temporal_jax.inference.prediction import Prediction
from temporal_jax.inference.predictor import Predictor
from temporal_jax.inference.runtime.catalog_model import catalog_model, new_model
from temporal_jax.inference.runtime.classifier import Classifier
from temporal_jax.inference.runtime.clip_to_probabilities import (
  create_forward,
  prepare_variables,
)
from temporal_jax.inference.runtime.prompts import parse_templates
from temporal_jax.inference.runtime.saved_model import (
  PendingModel,
  SavedModel,
  begin_loading,
  check_values,
  described_classes,
  digest,
  load_model,
  read_description,
  save_model,
  write_description,
)
from temporal_jax.inference.runtime.text_encoder import TextEncoder
from temporal_jax.inference.runtime.untrained_leaves import (
  describe_untrained,
  untrained_leaves,
)
from temporal_jax.inference.score_files import clip_shape, score_files
from temporal_jax.inference.stream import Latency, Stream
from temporal_jax.inference.text_search.search_videos import VideoSearch
from temporal_jax.inference.text_search.video_encoder import VideoEncoder
from temporal_jax.inference.text_search.zero_shot import ZeroShot, with_labels
from temporal_jax.inference.text_search.zero_shot_splits import score_splits
from temporal_jax.inference.timing import Timing, time_network
from temporal_jax.inference.watch.timeline import Timeline, save_timeline
from temporal_jax.inference.watch.watch_video import Watched, told_classes, watch_video
from temporal_jax.inference.watch.window_files import LabelledSpan
from temporal_jax.inference.watch.windows import (
  SlidingWindows,
  Window,
  WindowClip,
  score_windows,
)

__all__ = [
  "Classifier",
  "Extracted",
  "FeatureExtractor",
  "LabelledSpan",
  "Latency",
  "PendingModel",
  "Prediction",
  "Predictor",
  "SavedModel",
  "SlidingWindows",
  "Stream",
  "TextEncoder",
  "Timeline",
  "Timing",
  "VideoEncoder",
  "VideoSearch",
  "Watched",
  "Window",
  "WindowClip",
  "ZeroShot",
  "annotate",
  "begin_loading",
  "catalog_model",
  "check_values",
  "clip_shape",
  "create_forward",
  "describe_untrained",
  "described_classes",
  "digest",
  "export_model",
  "extract_files",
  "feature_shapes",
  "list_videos",
  "load_model",
  "new_model",
  "output_files",
  "parse_templates",
  "prepare_variables",
  "read_description",
  "save_model",
  "save_timeline",
  "score_files",
  "score_splits",
  "score_windows",
  "time_network",
  "told_classes",
  "untrained_leaves",
  "watch_video",
  "with_labels",
  "with_views",
  "write_description",
]
