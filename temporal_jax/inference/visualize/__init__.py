"""Why a network says what it says: maps of a clip, and pictures of them."""

from temporal_jax.inference.visualize.available_maps import KINDS
from temporal_jax.inference.visualize.calibration import create_calibrations
from temporal_jax.inference.visualize.calibration_figure import save_calibration
from temporal_jax.inference.visualize.cues import create_cues
from temporal_jax.inference.visualize.explain import (
  MAP_KINDS,
  Explained,
  explain,
  open_variables,
)
from temporal_jax.inference.visualize.features import create_features
from temporal_jax.inference.visualize.grad_cam import create_grad_cam
from temporal_jax.inference.visualize.masks import create_alignment
from temporal_jax.inference.visualize.overlay import save_overlay
from temporal_jax.inference.visualize.pictures import visualize_video
from temporal_jax.inference.visualize.rollout import (
  attention_shares,
  create_rollout,
)
from temporal_jax.inference.visualize.strip import Row, save_strip

__all__ = [
  "KINDS",
  "MAP_KINDS",
  "Explained",
  "Row",
  "attention_shares",
  "create_alignment",
  "create_calibrations",
  "create_cues",
  "create_features",
  "create_grad_cam",
  "create_rollout",
  "explain",
  "open_variables",
  "save_calibration",
  "save_overlay",
  "save_strip",
  "visualize_video",
]
