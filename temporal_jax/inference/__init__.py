"""Trained networks in use."""

from temporal_jax.inference.annotating import annotate
from temporal_jax.inference.catalog_model import catalog_model, new_model
from temporal_jax.inference.classifier import Classifier
from temporal_jax.inference.export import export_model
from temporal_jax.inference.feature_files import (
  Extracted,
  extract_files,
  output_files,
)
from temporal_jax.inference.feature_windows import FeatureExtractor
from temporal_jax.inference.features import feature_shapes
from temporal_jax.inference.forward import create_forward, prepare_variables
from temporal_jax.inference.listing import list_videos
from temporal_jax.inference.prediction import Prediction
from temporal_jax.inference.predictor import Predictor
from temporal_jax.inference.prompts import parse_templates
from temporal_jax.inference.saved_model import (
  SavedModel,
  check_values,
  described_classes,
  digest,
  load_model,
  read_description,
  save_model,
  write_description,
)
from temporal_jax.inference.scoring import clip_shape, score_files
from temporal_jax.inference.search import VideoSearch
from temporal_jax.inference.stream import Latency, Stream
from temporal_jax.inference.text_encoder import TextEncoder
from temporal_jax.inference.timeline import Timeline, save_timeline
from temporal_jax.inference.timing import Timing, time_network
from temporal_jax.inference.untrained import (
  describe_untrained,
  untrained_leaves,
)
from temporal_jax.inference.video_encoder import VideoEncoder
from temporal_jax.inference.views import with_views
from temporal_jax.inference.watching import Watched, told_classes, watch_video
from temporal_jax.inference.window_files import LabelledSpan
from temporal_jax.inference.windows import (
  SlidingWindows,
  Window,
  WindowClip,
  score_windows,
)
from temporal_jax.inference.zero_shot import ZeroShot, with_labels
from temporal_jax.inference.zero_shot_splits import score_splits

__all__ = [
  "Classifier",
  "Extracted",
  "FeatureExtractor",
  "LabelledSpan",
  "Latency",
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
