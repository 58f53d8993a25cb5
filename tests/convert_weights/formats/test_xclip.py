"""X-CLIP's block: its state_dict in, its output out."""

import functools

import jax
import numpy as np
import torch

from convert_weights.apply import apply_rules
from convert_weights.formats import xclip
from temporal_jax import layers, ops
from temporal_jax.models import Temporal
from temporal_jax.models.blocks.transformer import TransformerBlock

WIDTH, HEADS = 8, 2


class _Block(torch.nn.Module):
  """The block under the names of the published weights."""

  def __init__(self):
    super().__init__()
    self.message_fc = torch.nn.Linear(WIDTH, WIDTH)
    self.message_ln = torch.nn.LayerNorm(WIDTH)
    self.message_attn = self._attention()
    self.attn = self._attention()
    self.ln_1 = torch.nn.LayerNorm(WIDTH)
    self.ln_2 = torch.nn.LayerNorm(WIDTH)
    self.mlp = torch.nn.ModuleDict(
      {
        "c_fc": torch.nn.Linear(WIDTH, 4 * WIDTH),
        "c_proj": torch.nn.Linear(4 * WIDTH, WIDTH),
      }
    )

  def _attention(self):
    return torch.nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)

  def forward(self, x):
    """Maps tokens (T, N, D) of one clip to the same."""
    num_tokens = x.shape[1]
    message = self.message_fc(x[:, 0])[None]
    normed = self.message_ln(message)
    message = message + self.message_attn(normed, normed, normed)[0]
    x = torch.cat([x, message[0, :, None]], dim=1)
    normed = self.ln_1(x)
    x = (x + self.attn(normed, normed, normed)[0])[:, :num_tokens]
    hidden = self.mlp["c_fc"](self.ln_2(x))
    hidden = hidden * torch.sigmoid(1.702 * hidden)
    return x + self.mlp["c_proj"](hidden)


def test_block_computes_what_its_weights_did():
  torch.manual_seed(0)
  block = _Block()
  for p in block.parameters():
    torch.nn.init.normal_(p, std=0.5)
  x = np.random.default_rng(0).standard_normal((1, 3, 5, WIDTH), np.float32)
  ours = TransformerBlock(
    HEADS,
    activation=ops.quick_gelu,
    temporal=Temporal(
      block_input=functools.partial(layers.CrossFrameMessage, HEADS),
      mlp_input=layers.RemoveMessage,
    ),
  )
  target = jax.eval_shape(ours.init, jax.random.key(0), x)
  tensors = {k: v.numpy() for k, v in block.state_dict().items()}
  variables = apply_rules(xclip.block(), tensors, target)
  got, _ = jax.jit(ours.apply)(variables, x)
  with torch.no_grad():
    want = block(torch.tensor(x[0]))
  np.testing.assert_allclose(got[0], want, rtol=1e-4, atol=1e-4)
