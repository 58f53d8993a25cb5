"""Videos in, batches of clips out."""

from temporal_jax.data.augmentation import (
  Augmentation,
  Mix,
  check_flip,
  flipped_labels,
  normalize,
)
from temporal_jax.data.labels import ClassNames, by_task
from temporal_jax.data.open_sources import open_sources
from temporal_jax.data.pipeline.bad_videos import (
  ON_ERROR,
  BadVideoError,
  BadVideos,
)
from temporal_jax.data.pipeline.clip_format import ClipFormat
from temporal_jax.data.pipeline.clips import VideoOpener
from temporal_jax.data.pipeline.loaders import eval_batches, train_batches
from temporal_jax.data.pipeline.train_batches import TrainBatches
from temporal_jax.data.pipeline.videos import Videos, open_videos
from temporal_jax.data.reordered_source import ReorderedSource
from temporal_jax.data.sources import DatasetSource, FileSource, Source, Video
from temporal_jax.data.video.decoding import VideoReader
from temporal_jax.data.video.flow import FlowFolder
from temporal_jax.data.video.image_folder import ImageFolder
from temporal_jax.data.video.index_cache import keep_indices
from temporal_jax.data.video.live import LiveVideo
from temporal_jax.data.video.pictures import VideoError
from temporal_jax.data.video.readers import Reader, open_reader
from temporal_jax.data.views.eval_protocol import EvalProtocol
from temporal_jax.data.views.picture_cropping import PictureCropper

__all__ = [
  "ON_ERROR",
  "Augmentation",
  "BadVideoError",
  "BadVideos",
  "ClassNames",
  "ClipFormat",
  "DatasetSource",
  "EvalProtocol",
  "FileSource",
  "FlowFolder",
  "ImageFolder",
  "LiveVideo",
  "Mix",
  "PictureCropper",
  "Reader",
  "ReorderedSource",
  "Source",
  "TrainBatches",
  "Video",
  "VideoError",
  "VideoOpener",
  "VideoReader",
  "Videos",
  "by_task",
  "check_flip",
  "eval_batches",
  "flipped_labels",
  "keep_indices",
  "normalize",
  "open_reader",
  "open_sources",
  "open_videos",
  "train_batches",
]
