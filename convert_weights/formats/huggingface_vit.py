"""Rules of vision transformers, as huggingface/transformers names them.

Its configuration has the norms' epsilon, 1e-12 by default.
"""

from convert_weights.checkpoint_format import CheckpointFormat
from convert_weights.formats import image_towers
from convert_weights.formats.huggingface_clip import attention
from convert_weights.rules import Rule, conv2d, layer_norm, linear, under
from temporal_jax.models.network import Network


def transformer_block() -> list[Rule]:
  """Rules of `TransformerBlock` from a `ViTLayer` in a published file."""
  return _block(
    projections=("attention.query", "attention.key", "attention.value"),
    out="output.dense",
    mlp=("intermediate.dense", "output.dense"),
  )


def loaded_transformer_block() -> list[Rule]:
  """Rules of `TransformerBlock` from a `ViTLayer` in memory, from release 5."""
  return _block(
    projections=("q_proj", "k_proj", "v_proj"),
    out="o_proj",
    mlp=("mlp.fc1", "mlp.fc2"),
  )


def _block(
  *, projections: tuple[str, ...], out: str, mlp: tuple[str, str]
) -> list[Rule]:
  expand, contract = mlp
  return [
    *layer_norm("norm1", "layernorm_before"),
    *under(attention(projections, out), "attention", "attention"),
    *layer_norm("norm2", "layernorm_after"),
    *linear("mlp/expand", expand),
    *linear("mlp/contract", contract),
  ]


def vision_transformer() -> list[Rule]:
  """Rules of `VisionTransformer` from a `ViTModel`.

  Its pooler is the layer with tanh after the last norm.
  """
  positions = "embeddings.position_embeddings"
  return [
    Rule("params/class_token", ("embeddings.cls_token",), "1 1 c -> c"),
    Rule("params/position_embedding", (positions,), "1 n c -> n c"),
    *conv2d("patch_embedding", "embeddings.patch_embeddings.projection", bias=True),
    *under(transformer_block(), "block{i}", "encoder.layer.{i-1}"),
    *under(loaded_transformer_block(), "block{i}", "layers.{i-1}"),
    *layer_norm("norm", "layernorm"),
    *linear("representation", "pooler.dense"),
  ]


def _model(network: Network) -> list[Rule]:
  del network
  return image_towers.from_images(vision_transformer())


def _classifier(network: Network) -> list[Rule]:
  del network
  tower = [r for r in vision_transformer() if "/representation/" not in r.leaf]
  return [
    *image_towers.from_images(under(tower, "", "vit")),
    *linear("head", "classifier"),
  ]


_SKIP = {
  r"(vit\.)?embeddings\.mask_token": "the token of masked patches",
}
_UNSAID = {
  "activation": "",
  "epsilon": (
    "transformers' own is 1e-12, unless layer_norm_eps of config.json is "
    "another: --set epsilon=1e-12."
  ),
  "num_heads": "",
}
_PIXELS = "For DeiT, MAE and DINO they are ImageNet's: change them there."

FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="huggingface_vit",
    origin="huggingface/transformers, ViTForImageClassification",
    rules=_classifier,
    takes=image_towers.is_plain,
    marks=(r"vit\.embeddings\.cls_token", r"vit\.layernorm\.weight"),
    skip={**_SKIP, r"classifier\.(weight|bias)": image_towers.UNCLASSIFIED},
    new={**image_towers.NEW, **image_towers.OTHER_HEADS},
    unsaid=_UNSAID,
    shown=image_towers.without("representation"),
    pixels=_PIXELS,
  ),
  CheckpointFormat(
    name="huggingface_vit_model",
    origin="huggingface/transformers, ViTModel",
    rules=_model,
    takes=image_towers.is_plain,
    marks=(r"embeddings\.cls_token", r"embeddings\.patch_embeddings\..+"),
    absent=image_towers.HUGGINGFACE_DINO,
    skip={**_SKIP, r"pooler\.dense\.(weight|bias)": image_towers.UNCLASSIFIED},
    new={**image_towers.NEW, **image_towers.HEAD},
    unsaid=_UNSAID,
    shown=image_towers.without(
      "representation", "pooler.dense.weight", "pooler.dense.bias"
    ),
    pixels=_PIXELS,
  ),
)
