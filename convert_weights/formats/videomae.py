"""Rules of VideoMAE in its authors' names, transformers' and mmaction2's.

VideoMAE v2 has the names of the first.
"""

from collections.abc import Sequence

from convert_weights.checkpoint_format import CheckpointFormat
from convert_weights.formats import image_towers, slots
from convert_weights.rules import Rule, conv3d, layer_norm, linear, under
from temporal_jax.layers import JointAttention
from temporal_jax.models.backbones.vision_transformer import VisionTransformer
from temporal_jax.models.network import Network


def attention() -> list[Rule]:
  """Rules of `SelfAttention` from VideoMAE's, whose keys have no bias."""
  return [
    Rule("params/qkv/kernel", ("qkv.weight",), "(three m d) i -> i three m d"),
    Rule("params/query_value_bias", ("q_bias", "v_bias"), "two (m d) -> two m d"),
    Rule("params/out/kernel", ("proj.weight",), "o (m d) -> m d o"),
    Rule("params/out/bias", ("proj.bias",), "c -> c"),
  ]


def vision_transformer() -> list[Rule]:
  """Rules of `VisionTransformer` from VideoMAE's, without norm and head."""
  return _tower("patch_embed.proj", "mlp.fc1", "mlp.fc2")


def mmaction2_network(network: Network) -> list[Rule]:
  """Rules of `VisionTransformer` from mmaction2's of VideoMAE with its head."""
  del network
  backbone = [
    *_tower("patch_embed.projection", "mlp.layers.0.0", "mlp.layers.1"),
    *layer_norm("norm", "fc_norm"),
  ]
  return [*under(backbone, "", "backbone"), *linear("head", "cls_head.fc_cls")]


def _tower(patches: str, expand: str, contract: str) -> list[Rule]:
  block = [
    *layer_norm("norm1", "norm1"),
    *under(attention(), "attention", "attn"),
    *layer_norm("norm2", "norm2"),
    *linear("mlp/expand", expand),
    *linear("mlp/contract", contract),
  ]
  tubelets = conv3d("patch_embedding", patches, bias=True)
  return [*tubelets, *under(block, "block{i}", "blocks.{i-1}")]


def transformers_network() -> list[Rule]:
  """Rules of `VisionTransformer` from a `VideoMAEModel`, without norm."""
  return [
    *conv3d("patch_embedding", "embeddings.patch_embeddings.projection", bias=True),
    *under(_transformers_block(), "block{i}", "encoder.layer.{i-1}"),
  ]


def _transformers_block() -> list[Rule]:
  inside = "attention.attention"
  kernels = tuple(f"{inside}.{name}.weight" for name in ("query", "key", "value"))
  # In files, and in memory from release 5 on.
  biases = [
    Rule("params/attention/query_value_bias", names, "two (m d) -> two m d")
    for names in (
      (f"{inside}.q_bias", f"{inside}.v_bias"),
      (f"{inside}.query.bias", f"{inside}.value.bias"),
    )
  ]
  out = "attention.output.dense"
  return [
    *layer_norm("norm1", "layernorm_before"),
    Rule("params/attention/qkv/kernel", kernels, "three (m d) i -> i three m d"),
    *biases,
    Rule("params/attention/out/kernel", (f"{out}.weight",), "o (m d) -> m d o"),
    Rule("params/attention/out/bias", (f"{out}.bias",), "c -> c"),
    *layer_norm("norm2", "layernorm_after"),
    *linear("mlp/expand", "intermediate.dense"),
    *linear("mlp/contract", "output.dense"),
  ]


def takes(network: Network) -> bool:
  """Whether a network has VideoMAE's form, with its norm before or after."""
  if not isinstance(network, VisionTransformer) or network.has_class_token:
    return False
  is_joint = network.temporal.filled() == {"attention"}
  return (
    is_joint
    and isinstance(slots.filling(network, "attention"), JointAttention)
    and network.positions == "sine"
    and network.pooling == "mean"
  )


def _is_finetuned(network: Network) -> bool:
  """Whether the last norm follows the average of the tokens."""
  return takes(network) and network.average_first


def _classifier(network: Network) -> Sequence[Rule]:
  del network
  return [
    *vision_transformer(),
    *layer_norm("norm", "fc_norm"),
    *linear("head", "head"),
  ]


def _pretrained(norm: str, tower: Sequence[Rule], network: Network) -> list[Rule]:
  """Rules from a pre-trained encoder, whose norm precedes the average."""
  own = [] if network.average_first else layer_norm("norm", norm)
  return [*tower, *own]


def transformers_classifier() -> list[Rule]:
  """Rules of a `VideoMAEForVideoClassification`."""
  return [
    *under(transformers_network(), "", "videomae"),
    *layer_norm("norm", "fc_norm"),
    *linear("head", "classifier"),
  ]


_NEW = {
  **image_towers.HEAD,
  "params/norm/.+": "the norm of the average, which pre-training does not have",
}
_UNUSED = "the norm of the tokens, where a network norms their average"
_UNSAID = {
  "activation": "",
  "epsilon": (
    "transformers' own is 1e-12, unless layer_norm_eps of config.json is "
    "another: --set epsilon=1e-12."
  ),
  "last_epsilon": "",
  "num_heads": "",
}
_ENCODER = r"encoder\.layer\.0\.attention\.attention\.(q_bias|query\.bias)"
_PATCHES = r"embeddings\.patch_embeddings\.projection\.weight"

FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="videomae",
    origin="MCG-NJU/VideoMAE, OpenGVLab/VideoMAEv2",
    rules=_classifier,
    takes=_is_finetuned,
    marks=(
      r"patch_embed\.proj\.weight",
      r"blocks\.0\.attn\.q_bias",
      r"fc_norm\.weight",
    ),
  ),
  CheckpointFormat(
    name="videomae_encoder",
    origin="MCG-NJU/VideoMAE, OpenGVLab/VideoMAEv2, pre-trained",
    rules=lambda network: _pretrained("norm", vision_transformer(), network),
    takes=takes,
    marks=(
      r"patch_embed\.proj\.weight",
      r"blocks\.0\.attn\.q_bias",
      r"norm\.weight",
    ),
    skip={r"norm\.(weight|bias)": _UNUSED},
    new=_NEW,
    forms=({"average_first": False},),
  ),
  CheckpointFormat(
    name="huggingface_videomae",
    origin="huggingface/transformers, VideoMAEForVideoClassification",
    rules=lambda network: transformers_classifier(),
    takes=_is_finetuned,
    marks=(rf"videomae\.{_PATCHES}", r"fc_norm\.weight"),
    unsaid=_UNSAID,
  ),
  CheckpointFormat(
    name="huggingface_videomae_model",
    origin="huggingface/transformers, VideoMAEModel, VideoMAEForPreTraining",
    rules=lambda network: _pretrained("layernorm", transformers_network(), network),
    takes=takes,
    marks=(_PATCHES, _ENCODER),
    skip={r"layernorm\.(weight|bias)": _UNUSED},
    new=_NEW,
    forms=({"average_first": False},),
    unsaid=_UNSAID,
  ),
  CheckpointFormat(
    name="mmaction2_videomae",
    origin="open-mmlab/mmaction2, VideoMAE",
    rules=mmaction2_network,
    takes=_is_finetuned,
    marks=(
      r"backbone\.patch_embed\.projection\.weight",
      r"backbone\.blocks\.0\.attn\.q_bias",
    ),
    skip={r"backbone\.pos_embed": "fixed sines, which the network computes"},
  ),
)
