"""Reads the annotation files of data sets into records."""

from temporal_jax.data.annotations.activity_net import (
  read_activity_net as read_activity_net,
  read_activity_net_films as read_activity_net_films,
)
from temporal_jax.data.annotations.annotated_source import (
  AnnotatedSource as AnnotatedSource,
)
from temporal_jax.data.annotations.charades import read_charades as read_charades
from temporal_jax.data.annotations.epic_kitchens import (
  read_epic_kitchens as read_epic_kitchens,
  read_epic_kitchens_films as read_epic_kitchens_films,
)
from temporal_jax.data.annotations.film_builder import (
  with_durations as with_durations,
  without_films as without_films,
)
from temporal_jax.data.annotations.films import (
  Film as Film,
  FilmAnnotations as FilmAnnotations,
  LeftOut as LeftOut,
)
from temporal_jax.data.annotations.hacs import (
  read_hacs_clips as read_hacs_clips,
  read_hacs_films as read_hacs_films,
  read_hacs_segments as read_hacs_segments,
)
from temporal_jax.data.annotations.hmdb51 import read_hmdb51 as read_hmdb51
from temporal_jax.data.annotations.kinetics import (
  KINETICS_710_NAMES as KINETICS_710_NAMES,
  read_kinetics as read_kinetics,
)
from temporal_jax.data.annotations.merged import merge as merge
from temporal_jax.data.annotations.moments_in_time import (
  read_moments_in_time as read_moments_in_time,
)
from temporal_jax.data.annotations.path_lists import read_lists as read_lists
from temporal_jax.data.annotations.read_tables import read_names as read_names
from temporal_jax.data.annotations.record import (
  Annotations as Annotations,
  Record as Record,
  overlap as overlap,
)
from temporal_jax.data.annotations.registry import (
  DATA_SETS as DATA_SETS,
  open_annotations as open_annotations,
  open_films as open_films,
  open_test_set as open_test_set,
)
from temporal_jax.data.annotations.segment_list import (
  read_segment_list as read_segment_list,
)
from temporal_jax.data.annotations.something_something import (
  read_something_something_v1 as read_something_something_v1,
  read_something_something_v2 as read_something_something_v2,
)
from temporal_jax.data.annotations.thumos14 import (
  read_thumos14 as read_thumos14,
  read_thumos14_lists as read_thumos14_lists,
)
from temporal_jax.data.annotations.ucf101 import read_ucf101 as read_ucf101
