"""A small ViT of huggingface/transformers, and its sizes in this library."""

import transformers

# Arguments of "vit_b16_in21k"; the epsilon is that of timm and its weights.
SIZES = {"width": 32, "depth": 2, "num_heads": 2, "patch_size": 4, "grid": 4}
EPSILON = 1e-6


def vit_config(num_labels=5):
  """Returns the configuration of a ViT with these sizes."""
  return transformers.ViTConfig(
    hidden_size=32,
    intermediate_size=128,
    num_hidden_layers=2,
    num_attention_heads=2,
    image_size=16,
    patch_size=4,
    num_labels=num_labels,
    layer_norm_eps=EPSILON,
  )


def vit_classifier(num_labels=5):
  """Returns a new classifier with random weights."""
  return transformers.ViTForImageClassification(vit_config(num_labels))
