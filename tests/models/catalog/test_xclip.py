"""X-CLIP against another implementation of it."""

import re

import jax
import numpy as np
import torch
import transformers

from convert_weights.apply import apply_rules
from convert_weights.formats import xclip
from temporal_jax import models
from temporal_jax.models.backbones.video_text import VideoTextModel
from tests.support.tiny_video_text import SIZES, TEXTS, make_clip

# Names of transformers, and theirs in the authors' code, part by part.
_NAMES = (
  (r"^vision_model\.embeddings\.(class|position)_embed", r"visual.\1_embed"),
  ("^visual.position_embedding.weight", "visual.positional_embedding"),
  ("^vision_model.embeddings.patch_embedding", "visual.conv1"),
  ("^vision_model.pre_layernorm", "visual.ln_pre"),
  ("^vision_model.post_layernorm", "visual.ln_post"),
  (r"^vision_model\.encoder\.layers", "visual.transformer.resblocks"),
  (r"^text_model\.encoder\.layers", "transformer.resblocks"),
  ("^text_model.embeddings.token", "token"),
  ("^text_model.embeddings.position_embedding.weight", "positional_embedding"),
  ("^text_model.final_layer_norm", "ln_final"),
  ("^visual_projection.weight", "visual.proj"),
  ("^text_projection.weight", "text_projection"),
  ("^prompts_visual_layernorm", "prompts_visual_ln"),
  ("^prompts_visual_projection", "prompts_visual_proj"),
  ("^prompts_generator.layernorm", "prompts_generator.norm"),
  ("^mit.position_embedding", "mit.positional_embedding"),
  (r"^mit\.encoder\.layers", "mit.resblocks"),
  ("self_attn", "attn"),
  ("layer_norm(.)", r"ln_\1"),
  (r"mlp\.fc1", "mlp.c_fc"),
  (r"mlp\.fc2", "mlp.c_proj"),
)


def _authors_tensors(state):
  """The tensors of transformers' network as the authors' network has them."""
  tensors = {}
  for name, tensor in state.items():
    for theirs, ours in _NAMES:
      name = re.sub(theirs, ours, name)
    tensor = tensor.numpy()
    turned = name in ("visual.proj", "text_projection")
    tensors[name] = tensor.T if turned else tensor
  for name in [n for n in tensors if re.search(r"attn\.q_proj", n)]:
    if "cross_attn" in name:
      continue
    parts = [tensors.pop(name.replace("q_proj", f"{p}_proj")) for p in "qkv"]
    name = name.replace("q_proj.", "in_proj_")
    tensors[name] = np.concatenate(parts)
  return tensors


def test_messages_equal_transformers():
  clip = make_clip()
  width = {"hidden_size": 64, "intermediate_size": 256}
  torch.manual_seed(0)
  theirs = transformers.XCLIPModel(
    transformers.XCLIPConfig(
      text_config={
        **{"hidden_size": 16, "intermediate_size": 64, "vocab_size": 50},
        **{"num_hidden_layers": 1, "num_attention_heads": 2},
        "max_position_embeddings": 6,
      },
      vision_config={
        **width,
        **{f"mit_{name}": value for name, value in width.items()},
        **{"num_hidden_layers": 1, "num_attention_heads": 1},
        **{"mit_num_hidden_layers": 1, "mit_num_attention_heads": 1},
        **{"image_size": 16, "patch_size": 4, "num_frames": 3},
      },
      projection_dim=64,
      prompt_layers=1,
      prompt_num_attention_heads=1,
    )
  ).eval()
  with torch.no_grad():
    for parameter in theirs.parameters():  # Many start at zero.
      parameter.add_(0.1 * torch.randn_like(parameter))
    out = theirs(
      input_ids=torch.tensor(TEXTS),
      pixel_values=torch.tensor(clip).permute(0, 1, 4, 2, 3),
    )
  model = VideoTextModel(**SIZES, temporal=models.OPERATORS["messages"])
  target = jax.eval_shape(model.init, jax.random.key(0), clip)
  rules = xclip.video_text(xclip.block())
  tensors = _authors_tensors(theirs.state_dict())
  variables = apply_rules(rules, tensors, target)
  logits, _ = jax.jit(model.apply)(variables, clip, TEXTS)
  np.testing.assert_allclose(logits, out.logits_per_video, rtol=1e-4, atol=1e-4)
