"""Explains predictions of a network: maps of a clip, and pictures of them."""

from temporal_jax.inference.visualize.available_maps import KINDS as KINDS
from temporal_jax.inference.visualize.calibration import (
  create_calibrations as create_calibrations,
)
from temporal_jax.inference.visualize.calibration_figure import (
  save_calibration as save_calibration,
)
from temporal_jax.inference.visualize.cues import create_cues as create_cues
from temporal_jax.inference.visualize.explain import (
  MAP_KINDS as MAP_KINDS,
  Explained as Explained,
  explain as explain,
  open_variables as open_variables,
)
from temporal_jax.inference.visualize.features import create_features as create_features
from temporal_jax.inference.visualize.grad_cam import create_grad_cam as create_grad_cam
from temporal_jax.inference.visualize.masks import create_alignment as create_alignment
from temporal_jax.inference.visualize.overlay import save_overlay as save_overlay
from temporal_jax.inference.visualize.pictures import visualize_video as visualize_video
from temporal_jax.inference.visualize.rollout import (
  attention_shares as attention_shares,
  create_rollout as create_rollout,
)
from temporal_jax.inference.visualize.strip import Row as Row, save_strip as save_strip
