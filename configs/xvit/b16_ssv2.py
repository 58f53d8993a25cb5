r"""X-ViT-B/16 on Something-Something v2, 16 frames, from ImageNet-21k.

  python -m convert_weights xvit_b16 vit_base_patch16_224_in21k.pth \
    models/xvit_b16_ssv2 --num-classes 174 --set temporal=mixing_quarter
  python train.py --config=configs/xvit/b16_ssv2.py \
    --workdir=runs/xvit_b16_ssv2 --config.data.root=LIST \
    --config.init_from=models/xvit_b16_ssv2

Expected: 67.19 % top-1, 91.00 % top-5 (README of 1adrianb/video-transformers;
2 clips x 3 crops by its config). Follows configs/SSv2/xvit_B16_16x16.yaml of
1adrianb/video-transformers.
"""

from temporal_jax.configs.xvit import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.vision_transformer("ssv2")
  config.model.temporal = "mixing_quarter"
  config.num_epochs = 35.0
  config.data.augment = (
    "auto_augment|short_side_jitter(256, 320)|random_crop|normalize|random_erasing(0.5)"
  )
  config.data.flip_pairs = ()  # It does not flip.
  config.eval.num_clips = 2
  config.optim.lr = 0.03
  config.optim.lr_batch_size = 64
  config.optim.warmup_lr = 0.003
  config.optim.weight_decay = 1e-4
  return config
