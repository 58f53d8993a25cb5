"""Layer normalisation with the variance torch computes."""

import flax.linen as nn


class LayerNorm(nn.LayerNorm):
  """flax's `LayerNorm`, two passes for the variance and torch's epsilon.

  Attributes:
    epsilon: Added to the variance; CLIP 1e-5, ViT and ConvNeXt 1e-6.
    dtype: Dtype of the output.
    use_fast_variance: Whether one pass has to do, at a loss of accuracy.

  Parameters are `scale` and `bias`, float32, and so are the statistics.

  Source: Ba et al. 2016, https://arxiv.org/abs/1607.06450.
  """

  epsilon: float = 1e-5
  use_fast_variance: bool = False
