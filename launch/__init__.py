"""From a config to a run: what train.py calls, in order."""

from launch.bounds import check_keep_best
from launch.checking import check
from launch.classes import num_classes
from launch.clips import clip_shape, create_augmentation, open_videos, protocol
from launch.config_fields import unknown_field
from launch.description import describe
from launch.duration import plan, schedule
from launch.earlier import differences, earlier_description
from launch.heads import class_rows
from launch.locking import lock
from launch.network import other_inputs
from launch.parts import Parts, assemble
from launch.preview import draw, show_plan
from launch.scoring import Scoring
from launch.stages import stages
from launch.steps import create_steps
from launch.weights import complete, fitting

__all__ = [
  "Parts",
  "Scoring",
  "assemble",
  "check",
  "check_keep_best",
  "class_rows",
  "clip_shape",
  "complete",
  "create_augmentation",
  "create_steps",
  "describe",
  "differences",
  "draw",
  "earlier_description",
  "fitting",
  "lock",
  "num_classes",
  "open_videos",
  "other_inputs",
  "plan",
  "protocol",
  "schedule",
  "show_plan",
  "stages",
  "unknown_field",
]
