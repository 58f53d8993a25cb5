r"""bLVNet-TAM-50 on Kinetics-400, 8 x 2 to 24 x 2 frames.

  python -m convert_weights blvnet_tam_50 blresnet50.pth \
    models/blvnet_tam_50_k400 --num-classes 400
  python train.py --config=configs/blvnet/tam_50_k400.py \
    --workdir=runs/blvnet_tam_50_k400 --config.data.root=LIST \
    --config.init_from=models/blvnet_tam_50_k400

Expected: 71.0, 72.0 and 73.5 % top-1 with 8 x 2, 16 x 2 and 24 x 2 frames,
3 clips x 3 crops of 256 pixels (table 3). Follows section 4.1 of
arXiv:1912.00869, and its code where that is silent.
"""

from temporal_jax.configs.blvnet import base


def get_config():
  """Returns the run's config; every field is explained in configs/base.py."""
  config = base.network("k400", short_side=331)
  config.model.name = "blvnet_tam_50"
  config.stages = base.stages(8, 16, 24, lr=0.005)
  config.eval.short_side = 256
  config.eval.crop_size = 256
  config.eval.num_clips = 3
  config.eval.num_crops = 3
  return config
