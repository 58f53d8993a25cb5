"""The annotation files of the data sets, as downloaded, read into records."""

from temporal_jax.data.annotations.activity_net import read_activity_net
from temporal_jax.data.annotations.annotated_source import AnnotatedSource
from temporal_jax.data.annotations.charades import read_charades
from temporal_jax.data.annotations.epic_kitchens import read_epic_kitchens
from temporal_jax.data.annotations.hacs import (
  read_hacs_clips,
  read_hacs_segments,
)
from temporal_jax.data.annotations.hmdb51 import read_hmdb51
from temporal_jax.data.annotations.kinetics import read_kinetics
from temporal_jax.data.annotations.merged import class_rows, merge
from temporal_jax.data.annotations.moments_in_time import read_moments_in_time
from temporal_jax.data.annotations.path_lists import read_lists
from temporal_jax.data.annotations.read_tables import read_names
from temporal_jax.data.annotations.record import Annotations, Record, overlap
from temporal_jax.data.annotations.registry import DATA_SETS, open_annotations
from temporal_jax.data.annotations.something_something import (
  read_something_something_v1,
  read_something_something_v2,
)
from temporal_jax.data.annotations.ucf101 import read_ucf101

__all__ = [
  "DATA_SETS",
  "AnnotatedSource",
  "Annotations",
  "Record",
  "class_rows",
  "merge",
  "open_annotations",
  "overlap",
  "read_activity_net",
  "read_charades",
  "read_epic_kitchens",
  "read_hacs_clips",
  "read_hacs_segments",
  "read_hmdb51",
  "read_kinetics",
  "read_lists",
  "read_moments_in_time",
  "read_names",
  "read_something_something_v1",
  "read_something_something_v2",
  "read_ucf101",
]
