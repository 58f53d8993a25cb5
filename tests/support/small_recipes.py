"""Recipes of every family, made small."""

from temporal_jax.configs.atm import resnet18_ssv1, vit_b16_ssv2
from temporal_jax.configs.blvnet import tam_50_ssv1
from temporal_jax.configs.ila import vit_b32_k400, vit_b32_ssv2
from temporal_jax.configs.tada import (
  convnextv2_tiny_k400,
  former_b16_ssv2,
  slowfast_4x16_k400,
  tada2d_8x8_k400,
)
from temporal_jax.configs.xvit import b16_ek100

_VIT = {"width": 64, "num_heads": 2, "depth": 2, "patch_size": 8}
_3D = {"stage_sizes": (1, 1, 1, 1), "stem_width": 32, "widths": (32,) * 4}
# Family: its recipe, and what makes the network small.
FAMILIES = {
  "atm_resnet": (resnet18_ssv1, {"width": 8}),
  "atm_vit": (vit_b16_ssv2, {**_VIT, "depth": 8}),
  "blvnet": (tam_50_ssv1, {"width": 16, "stage_sizes": (2, 2, 2, 2)}),
  "ila_text": (
    vit_b32_k400,
    {**_VIT, "projection": 64, "text_width": 32, "text_depth": 1},
  ),
  "ila_linear": (vit_b32_ssv2, {**_VIT, "projection": 64}),
  "tada2d": (tada2d_8x8_k400, {"width": 8, "stage_sizes": (1, 1, 1, 1)}),
  "tadaconvnext": (
    convnextv2_tiny_k400,
    {"stage_sizes": (1, 1), "widths": (128, 128)},
  ),
  "tadaformer": (former_b16_ssv2, {**_VIT, "width": 256}),
  "slowfast": (slowfast_4x16_k400, _3D),
  "xvit": (b16_ek100, _VIT),
}


def small(name):
  """The recipe of a family on frames of 32 pixels, a network to match."""
  recipe, overrides = FAMILIES[name]
  config = recipe.get_config()
  config.model.overrides.update(overrides)
  config.data.image_size = 32
  config.data.num_frames = 8
  config.data.canvas = (36, 48)
  config.data.augment = config.data.augment.replace("256, 320", "36, 48").replace(
    "224, 340", "36, 48"
  )
  config.stages = ()
  config.batch_size = 4
  config.num_steps, config.num_epochs = 20, 0.0
  config.optim.warmup_steps = 2 if config.optim.warmup_epochs else 0
  config.optim.warmup_epochs = 0.0
  config.optim.milestones = (1,) if config.optim.milestones else ()
  return config
