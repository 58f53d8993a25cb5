"""Rules of DINOv3's ViTs, in their authors' names and those of transformers."""

from convert_weights.checkpoint_format import CheckpointFormat
from convert_weights.formats import image_towers
from convert_weights.formats.dinov2 import layer_scales
from convert_weights.rules import Picks, Rule, conv2d, layer_norm, linear, under
from temporal_jax.models.network import Network


def transformer_block() -> list[Rule]:
  """Rules of `TransformerBlock` from the authors' `SelfAttentionBlock`.

  The bias of the keys is in the file, and masked.
  """
  bias = Rule(
    "params/attention/query_value_bias",
    ("attn.qkv.bias",),
    "(three m d) -> three m d",
    picks=Picks((0, 2), 3),
  )
  return [
    *layer_norm("norm1", "norm1"),
    Rule(
      "params/attention/qkv/kernel",
      ("attn.qkv.weight",),
      "(three m d) i -> i three m d",
    ),
    bias,
    *_output("attn.proj"),
    *layer_norm("norm2", "norm2"),
    *linear("mlp/gate", "mlp.w1"),
    *linear("mlp/expand", "mlp.w2"),
    *linear("mlp/contract", "mlp.w3"),
    *layer_scales(("ls1.gamma", "ls2.gamma")),
  ]


def plain_block() -> list[Rule]:
  """Rules of `TransformerBlock` from such a block without a gate in its MLP."""
  others = [rule for rule in transformer_block() if "/mlp/" not in rule.leaf]
  return [
    *others,
    *linear("mlp/expand", "mlp.fc1"),
    *linear("mlp/contract", "mlp.fc2"),
  ]


def vision_transformer(*, gated: bool) -> list[Rule]:
  """Rules of `VisionTransformer` from a `DinoVisionTransformer`."""
  block = transformer_block() if gated else plain_block()
  return [
    Rule("params/class_token", ("cls_token",), "1 1 c -> c"),
    Rule("params/registers", ("storage_tokens",), "1 r c -> r c"),
    *conv2d("patch_embedding", "patch_embed.proj", bias=True),
    *under(block, "block{i}", "blocks.{i-1}"),
    *layer_norm("norm", "norm"),
  ]


def huggingface_block() -> list[Rule]:
  """Rules of `TransformerBlock` from a `DINOv3ViTLayer`."""
  names = [f"attention.{name}_proj" for name in "qkv"]
  return [
    *layer_norm("norm1", "norm1"),
    Rule(
      "params/attention/qkv/kernel",
      tuple(f"{name}.weight" for name in names),
      "three (m d) i -> i three m d",
    ),
    Rule(
      "params/attention/query_value_bias",
      tuple(f"{name}.bias" for name in names[::2]),
      "two (m d) -> two m d",
    ),
    *_output("attention.o_proj"),
    *layer_norm("norm2", "norm2"),
    *linear("mlp/gate", "mlp.gate_proj"),
    *linear("mlp/expand", "mlp.up_proj"),
    *linear("mlp/contract", "mlp.down_proj"),
    *layer_scales(("layer_scale1.lambda1", "layer_scale2.lambda1")),
  ]


def huggingface_transformer() -> list[Rule]:
  """Rules of `VisionTransformer` from a `DINOv3ViTModel`.

  Blocks have another name in published files than in memory from release 5 on.
  """
  return [
    Rule("params/class_token", ("embeddings.cls_token",), "1 1 c -> c"),
    Rule("params/registers", ("embeddings.register_tokens",), "1 r c -> r c"),
    *conv2d("patch_embedding", "embeddings.patch_embeddings", bias=True),
    *under(huggingface_block(), "block{i}", "layer.{i-1}"),
    *under(huggingface_block(), "block{i}", "model.layer.{i-1}"),
    *layer_norm("norm", "norm"),
  ]


def _output(name: str) -> list[Rule]:
  """Rules of the last projection of attention."""
  return [
    Rule("params/attention/out/kernel", (f"{name}.weight",), "o (m d) -> m d o"),
    Rule("params/attention/out/bias", (f"{name}.bias",), "c -> c"),
  ]


def _rules(network: Network) -> list[Rule]:
  gated = bool(image_towers.block_argument(network, "gated"))
  return image_towers.from_images(vision_transformer(gated=gated))


def _huggingface_rules(network: Network) -> list[Rule]:
  del network
  return image_towers.from_images(huggingface_transformer())


_MASK = "the token of masked patches"

FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="dinov3",
    origin="facebookresearch/dinov3",
    rules=_rules,
    takes=image_towers.is_dinov3,
    marks=("storage_tokens", r"rope_embed\.periods", r"blocks\.0\.ls1\.gamma"),
    skip={
      "mask_token": _MASK,
      r"rope_embed\.periods": "periods of the rotary positions, which are computed",
      r"blocks\.\d+\.attn\.qkv\.bias_mask": "the mask of the keys' bias",
      r"local_cls_norm\..+": "a norm for small crops in training",
    },
    new={**image_towers.NEW, **image_towers.HEAD},
  ),
  CheckpointFormat(
    name="huggingface_dinov3",
    origin="huggingface/transformers, DINOv3ViTModel",
    rules=_huggingface_rules,
    takes=image_towers.is_dinov3,
    marks=(
      r"embeddings\.register_tokens",
      r"embeddings\.patch_embeddings\.weight",
      r"(model\.)?layer\.0\.layer_scale1\.lambda1",
    ),
    skip={r"embeddings\.mask_token": _MASK},
    new={**image_towers.NEW, **image_towers.HEAD},
    unsaid=image_towers.AS_IN_CONFIG,
  ),
)
