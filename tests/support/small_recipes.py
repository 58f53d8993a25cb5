"""Recipes of every family, made small."""

from temporal_jax.configs import atm, blvnet, ila, tada, vjepa2, xvit

_VIT = {"width": 64, "num_heads": 2, "depth": 2, "patch_size": 8}
_3D = {"stage_sizes": (1, 1, 1, 1), "stem_width": 32, "widths": (32,) * 4}
# Family: its paper and a run of it, and what makes the network small.
FAMILIES = {
  "atm_resnet": (atm, "resnet18_ssv1", {"width": 8}),
  "atm_vit": (atm, "vit_b16_ssv2", {**_VIT, "depth": 8}),
  "blvnet": (blvnet, "tam_50_ssv1", {"width": 16, "stage_sizes": (2, 2, 2, 2)}),
  "ila_text": (
    ila,
    "vit_b32_k400",
    {**_VIT, "projection": 64, "text_width": 32, "text_depth": 1},
  ),
  "ila_linear": (ila, "vit_b32_ssv2", {**_VIT, "projection": 64}),
  "tada2d": (tada, "tada2d_8x8_k400", {"width": 8, "stage_sizes": (1, 1, 1, 1)}),
  "tadaconvnext": (
    tada,
    "convnextv2_tiny_k400",
    {"stage_sizes": (1, 1), "widths": (128, 128)},
  ),
  "tadaformer": (tada, "former_b16_ssv2", {**_VIT, "width": 256}),
  "tadaformer_text": (
    tada,
    "former_b16_text_k400",
    {**_VIT, "width": 256, "projection": 64, "text_width": 32, "text_depth": 1},
  ),
  "slowfast": (tada, "slowfast_4x16_k400", _3D),
  "vjepa2": (vjepa2, "l16_ssv2", _VIT),
  "xvit": (xvit, "b16_ek100", _VIT),
}


def small(name):
  """The recipe of a family on frames of 32 pixels, a network to match."""
  paper, run, overrides = FAMILIES[name]
  config = paper.get_config(run)
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
