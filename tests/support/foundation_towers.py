"""Towers of transformers for the rows of DINOv2, DINOv3 and SigLIP 2."""

import re

import transformers

# Row -> width, depth, heads and hidden width of the MLP.
_SIZES = {
  "s": (384, 12, 6, 1536),
  "b": (768, 12, 12, 3072),
  "l": (1024, 24, 16, 4096),
  "g": (1536, 40, 24, 6144),
  "h": (1280, 32, 20, 5120),
  "so400m": (1152, 27, 16, 4304),
}
SMALL = (32, 2, 2, 128)


def size_of(row):
  """The sizes of a row, by its name."""
  kind = row.split("_")[1]
  return _SIZES["so400m" if kind.startswith("so400m") else kind[0]]


def dinov2(sizes, *, image_size, patch_size=14, registers=0, gated=False):
  """A `Dinov2Model`, or one with registers."""
  width, depth, heads, hidden = sizes
  settings = {
    "hidden_size": width,
    "num_hidden_layers": depth,
    "num_attention_heads": heads,
    "mlp_ratio": hidden // width,
    "image_size": image_size,
    "patch_size": patch_size,
    "use_swiglu_ffn": gated,
  }
  if registers:
    config = transformers.Dinov2WithRegistersConfig(
      num_register_tokens=registers, **settings
    )
    return transformers.Dinov2WithRegistersModel(config)
  return transformers.Dinov2Model(transformers.Dinov2Config(**settings))


def dinov3(sizes, *, image_size, patch_size=16, registers=4, gated=False):
  """A `DINOv3ViTModel`."""
  width, depth, heads, hidden = sizes
  config = transformers.DINOv3ViTConfig(
    hidden_size=width,
    num_hidden_layers=depth,
    num_attention_heads=heads,
    intermediate_size=hidden,
    image_size=image_size,
    patch_size=patch_size,
    num_register_tokens=registers,
    use_gated_mlp=gated,
    hidden_act="silu" if gated else "gelu",
  )
  return transformers.DINOv3ViTModel(config)


def siglip(sizes, *, image_size, patch_size):
  """A `SiglipVisionModel`."""
  width, depth, heads, hidden = sizes
  config = transformers.SiglipVisionConfig(
    hidden_size=width,
    num_hidden_layers=depth,
    num_attention_heads=heads,
    intermediate_size=hidden,
    image_size=image_size,
    patch_size=patch_size,
  )
  return transformers.SiglipVisionModel(config)


def build(row, image_size):
  """The tower of a row at its own size."""
  sizes = size_of(row)
  patch_size = int(re.search(r"(\d\d)(plus)?(_|$)", row)[1])
  if row.startswith("dinov2"):
    registers = 4 if row.endswith("_registers") else 0
    gated = "_g14" in row
    return dinov2(sizes, image_size=image_size, registers=registers, gated=gated)
  if row.startswith("dinov3"):
    return dinov3(sizes, image_size=image_size, gated="plus" in row)
  return siglip(sizes, image_size=image_size, patch_size=patch_size)
