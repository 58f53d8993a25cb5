"""Reads videos and makes batches of clips."""

from temporal_jax.data.augmentation import (
  FLOW_PIXELS as FLOW_PIXELS,
  Augmentation as Augmentation,
  Mix as Mix,
  check_flip as check_flip,
  flipped_labels as flipped_labels,
  normalize as normalize,
)
from temporal_jax.data.labels import ClassNames as ClassNames, by_task as by_task
from temporal_jax.data.open_sources import open_sources as open_sources
from temporal_jax.data.open_test_videos import open_test_videos as open_test_videos
from temporal_jax.data.pipeline.bad_videos import (
  ON_ERROR as ON_ERROR,
  BadVideoError as BadVideoError,
  BadVideos as BadVideos,
)
from temporal_jax.data.pipeline.class_order import count_classes as count_classes
from temporal_jax.data.pipeline.clips import (
  ClipFormat as ClipFormat,
  VideoOpener as VideoOpener,
)
from temporal_jax.data.pipeline.loaders import (
  eval_batches as eval_batches,
  train_batches as train_batches,
)
from temporal_jax.data.pipeline.train_batches import TrainBatches as TrainBatches
from temporal_jax.data.pipeline.videos import (
  Videos as Videos,
  open_videos as open_videos,
)
from temporal_jax.data.reordered_source import ReorderedSource as ReorderedSource
from temporal_jax.data.sources import (
  DatasetSource as DatasetSource,
  FileSource as FileSource,
  Source as Source,
  Video as Video,
  groups_of as groups_of,
)
from temporal_jax.data.video.decoding import VideoReader as VideoReader
from temporal_jax.data.video.flow import FlowFolder as FlowFolder
from temporal_jax.data.video.image_folder import ImageFolder as ImageFolder
from temporal_jax.data.video.index_cache import keep_indices as keep_indices
from temporal_jax.data.video.live import LiveVideo as LiveVideo
from temporal_jax.data.video.pictures import VideoError as VideoError
from temporal_jax.data.video.readers import Reader as Reader, open_reader as open_reader
from temporal_jax.data.video.tar_member import TarMember as TarMember
from temporal_jax.data.views.eval_protocol import EvalProtocol as EvalProtocol
from temporal_jax.data.views.picture_cropping import PictureCropper as PictureCropper
