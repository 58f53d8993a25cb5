"""A run that trains a network to find segments in films."""

from temporal_jax.experiment.film_run.preview import (
  draw as draw,
  show_layout as show_layout,
)
from temporal_jax.experiment.film_run.run import FilmRun as FilmRun
