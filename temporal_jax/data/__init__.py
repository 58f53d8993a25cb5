"""Videos in, batches of clips out."""

from temporal_jax.data.augmentation import (
  Augmentation,
  Mix,
  check_flip,
  flipped_labels,
  normalize,
)
from temporal_jax.data.bad_videos import (
  ON_ERROR,
  BadVideoError,
  BadVideos,
)
from temporal_jax.data.clip_format import ClipFormat
from temporal_jax.data.clips import VideoOpener
from temporal_jax.data.decoding import VideoReader
from temporal_jax.data.flow import FlowFolder
from temporal_jax.data.image_folder import ImageFolder
from temporal_jax.data.index_cache import keep_indices
from temporal_jax.data.labels import ClassNames, by_task
from temporal_jax.data.live import LiveVideo
from temporal_jax.data.opening import open_sources
from temporal_jax.data.order import TrainBatches
from temporal_jax.data.picture_cropping import PictureCropper
from temporal_jax.data.pictures import VideoError
from temporal_jax.data.pipeline import eval_batches, train_batches
from temporal_jax.data.protocol import EvalProtocol
from temporal_jax.data.readers import Reader, open_reader
from temporal_jax.data.reordered import ReorderedSource
from temporal_jax.data.sources import DatasetSource, FileSource, Source, Video
from temporal_jax.data.videos import Videos, open_videos

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
