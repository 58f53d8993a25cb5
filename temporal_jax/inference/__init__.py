"""Uses trained networks: predicts, extracts, searches, exports, serves."""

from temporal_jax.inference.annotate import annotate as annotate
from temporal_jax.inference.compare_runs import (
  RunRecords as RunRecords,
  config_differences as config_differences,
  describe_mismatches as describe_mismatches,
  read_runs as read_runs,
)
from temporal_jax.inference.evaluate_network import (
  Evaluation as Evaluation,
  evaluate_network as evaluate_network,
  write_evaluation as write_evaluation,
)
from temporal_jax.inference.export import export_model as export_model
from temporal_jax.inference.extract.feature_files import (
  Extracted as Extracted,
  extract_files as extract_files,
  output_files as output_files,
)
from temporal_jax.inference.extract.feature_windows import (
  FeatureExtractor as FeatureExtractor,
)
from temporal_jax.inference.extract.features import feature_shapes as feature_shapes
from temporal_jax.inference.find_videos import list_videos as list_videos
from temporal_jax.inference.localize.localizer import Localizer as Localizer
from temporal_jax.inference.localize.segments import (
  Localization as Localization,
  Segment as Segment,
)
from temporal_jax.inference.parse_views import with_views as with_views
from temporal_jax.inference.prediction import Prediction as Prediction
from temporal_jax.inference.predictor import Predictor as Predictor
from temporal_jax.inference.runtime.calibrate import (
  store_temperature as store_temperature,
)
from temporal_jax.inference.runtime.catalog_model import (
  catalog_model as catalog_model,
  new_model as new_model,
)
from temporal_jax.inference.runtime.classifier import Classifier as Classifier
from temporal_jax.inference.runtime.clip_to_probabilities import (
  create_forward as create_forward,
  prepare_variables as prepare_variables,
)
from temporal_jax.inference.runtime.prompts import parse_templates as parse_templates
from temporal_jax.inference.runtime.saved_model import (
  PendingModel as PendingModel,
  SavedModel as SavedModel,
  begin_loading as begin_loading,
  load_model as load_model,
  read_description as read_description,
  save_model as save_model,
  write_description as write_description,
)
from temporal_jax.inference.runtime.text_encoder import TextEncoder as TextEncoder
from temporal_jax.inference.runtime.untrained_leaves import (
  describe_untrained as describe_untrained,
  untrained_leaves as untrained_leaves,
)
from temporal_jax.inference.score_files import (
  clip_shape as clip_shape,
  score_files as score_files,
)
from temporal_jax.inference.score_test_set import (
  ScoredTestSet as ScoredTestSet,
  score_test_set as score_test_set,
)
from temporal_jax.inference.stream import Latency as Latency, Stream as Stream
from temporal_jax.inference.text_search.search_videos import VideoSearch as VideoSearch
from temporal_jax.inference.text_search.video_encoder import (
  VideoEncoder as VideoEncoder,
)
from temporal_jax.inference.text_search.zero_shot import (
  ZeroShot as ZeroShot,
  with_labels as with_labels,
)
from temporal_jax.inference.text_search.zero_shot_splits import (
  score_splits as score_splits,
)
from temporal_jax.inference.timing import Timing as Timing, time_network as time_network
from temporal_jax.inference.watch.timeline import (
  Timeline as Timeline,
  save_timeline as save_timeline,
)
from temporal_jax.inference.watch.watch_video import (
  Watched as Watched,
  predicted_classes as predicted_classes,
  watch_video as watch_video,
)
from temporal_jax.inference.watch.window_files import LabelledSpan as LabelledSpan
from temporal_jax.inference.watch.windows import (
  SlidingWindows as SlidingWindows,
  Window as Window,
  WindowClip as WindowClip,
  score_windows as score_windows,
)
from temporal_jax.saved_networks.description import (
  described_classes as described_classes,
)
from temporal_jax.saved_networks.variables import (
  check_values as check_values,
  digest as digest,
)
