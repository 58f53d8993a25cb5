"""CLIP for videos: clips and texts in one space (X-CLIP, ILA, TAdaFormer)."""

import math

import flax.linen as nn
import jax
import jax.numpy as jnp

from temporal_jax import ops
from temporal_jax.layers import LayerNorm
from temporal_jax.models.backbones.vision_transformer import VisionTransformer
from temporal_jax.models.blocks import transformer
from temporal_jax.models.blocks.frame_integration import (
  DirectionClassifier,
  MultiframeIntegration,
)
from temporal_jax.models.blocks.positions import count_tubelets, grid_side
from temporal_jax.models.blocks.prompt import VideoSpecificPrompt
from temporal_jax.models.blocks.text_transformer import TextTransformer
from temporal_jax.models.blocks.transformer import TransformerBlock
from temporal_jax.models.network import Network, ParameterGroups, VisualLayers
from temporal_jax.models.slots import Temporal
from temporal_jax.ops.activations import Activation, find_activation

HEADS = ("text", "linear")


class VideoTextModel(Network):
  """CLIP's vision transformer on frames, integrated over time, and a head.

  Head "text" compares a clip with texts, whose features get an offset that a
  prompt computes from the clip's patches; head "linear" classifies. Without
  integration and prompt, clips and texts are compared as CLIP compares images
  and texts.

  Attributes:
    num_classes: Outputs of head "linear", L; head "text" has one per text.
    head: "text" or "linear" (ILA on Something-Something).
    patch_size: Side of a patch, in pixels.
    width: Channels of a patch's token.
    depth: Blocks on the frames.
    num_heads: Heads of their attention.
    grid: Rows and columns of the learned positions.
    tubelet: Frames that a patch spans, and frames from one to the next, see
      `VisionTransformer`.
    average_first: Whether the tower's last norm follows the average of the
      frames' class tokens (TAdaFormer); nothing is then left to integrate.
    activation: Function inside the MLPs of CLIP's two towers, or its name:
      "quick_gelu" (OpenAI's CLIP) or "gelu" (exact, most of open_clip's). The
      modules after the towers always use QuickGELU.
    projection: Width of the space of clips and texts, D, a multiple of 64.
    text_width: Channels of a text's token.
    text_depth: Blocks on the texts.
    text_heads: Heads of their attention.
    vocabulary: Number of different text tokens.
    context: Longest text, in tokens.
    num_frames: Frames, or tubelets, with a learned position in the integration;
      other lengths of clips get them interpolated.
    integration_depth: Blocks in which the frames' features meet; 0 for their
      average, without positions.
    prompt_depth: Layers of the prompt's attention to the patches; 0 for texts
      as they are, without a prompt.
    drop_path: Rate of stochastic depth in the last block on the frames.
    temporal: Layers in the temporal slots of the blocks on the frames.
    remat: Whether frames' blocks' results are computed again for the gradients
      instead of being kept.
    dtype: Dtype of the computation; parameters and logits stay float32.

  Source: Ni et al. 2022, https://arxiv.org/abs/2208.02816; Tu et al. 2023,
    https://arxiv.org/abs/2304.10465; class `XCLIP` in X-CLIP/models/xclip.py of
    microsoft/VideoX and models/xclip.py of Francis-Rings/ILA. TAdaFormer with
    texts: Huang et al. 2023, https://arxiv.org/abs/2308.05787, section 5.6,
    whose code is not public.
  """

  num_classes: int | None = None
  head: str = "text"
  patch_size: int = 32
  width: int = 768
  depth: int = 12
  num_heads: int = 12
  grid: int = 7
  tubelet: tuple[int, int] = (1, 1)
  average_first: bool = False
  activation: str | Activation = "quick_gelu"
  projection: int = 512
  text_width: int = 512
  text_depth: int = 12
  text_heads: int = 8
  vocabulary: int = 49408
  context: int = 77
  num_frames: int = 8
  integration_depth: int = 1
  prompt_depth: int = 2
  drop_path: float = 0.0
  temporal: Temporal = Temporal()
  remat: bool = False
  dtype: jax.typing.DTypeLike = jnp.float32

  SLOTS = TransformerBlock.SLOTS

  def __post_init__(self) -> None:
    super().__post_init__()
    self.temporal.check("VideoTextModel", self.SLOTS)
    find_activation(self.activation)  # An unknown name raises.
    if self.head not in HEADS:
      raise ValueError(f"head must be one of {HEADS}, got {self.head!r}.")
    if self.head == "linear" and self.num_classes is None:
      raise ValueError("head 'linear' needs num_classes.")
    if self.average_first and self.integration_depth:
      raise ValueError(
        f"average_first leaves no frames to integrate: integration_depth must be "
        f"0, got {self.integration_depth}."
      )

  @property
  def reads_text(self) -> bool:
    """Whether the head compares clips with texts."""
    return self.head == "text"

  @nn.nowrap
  def arguments_for(
    self, *, num_frames: int | None, image_size: int | None
  ) -> dict[str, int]:
    """Returns the positions that clips need, see `Network.arguments_for`."""
    fitted = {}
    if image_size is not None:
      fitted["grid"] = grid_side(image_size, self.patch_size)
    if num_frames is not None and self.integration_depth:
      fitted["num_frames"] = count_tubelets(num_frames, self.tubelet)
    return fitted

  @nn.nowrap
  def parameter_groups(self) -> ParameterGroups:
    """Returns the groups of the blocks on the frames, see `Network`."""
    return transformer.parameter_groups(prefix="visual/")

  @nn.nowrap
  def visual_layers(self) -> VisualLayers:
    """Returns the blocks on the frames and their attention, see `Network`."""
    return transformer.visual_layers(prefix="visual/")

  def setup(self) -> None:
    """Makes the towers and the head."""
    self.visual = VisionTransformer(
      num_classes=None,
      patch_size=self.patch_size,
      width=self.width,
      depth=self.depth,
      num_heads=self.num_heads,
      activation=self.activation,
      epsilon=1e-5,
      patch_bias=False,
      pre_norm=True,
      projection=self.projection,
      tubelet=self.tubelet,
      grid=self.grid,
      average_first=self.average_first,
      drop_path=self.drop_path,
      temporal=self.temporal,
      remat=self.remat,
      dtype=self.dtype,
    )
    if self.integration_depth:
      self.integration = MultiframeIntegration(
        self.integration_depth, num_frames=self.num_frames, dtype=self.dtype
      )
    if self.head == "linear":
      self.classifier = DirectionClassifier(self.num_classes, dtype=self.dtype)
      return
    self.text = TextTransformer(
      self.projection,
      self.text_width,
      self.text_depth,
      self.text_heads,
      self.vocabulary,
      self.context,
      self.activation,
      dtype=self.dtype,
    )
    if self.prompt_depth:
      self.prompt_norm = LayerNorm(dtype=self.dtype)
      self.prompt_projection = nn.Dense(
        self.projection,
        use_bias=False,
        kernel_init=nn.initializers.normal(1.0),
        dtype=self.dtype,
      )
      self.prompt = VideoSpecificPrompt(self.prompt_depth, dtype=self.dtype)
    initial = nn.initializers.constant(math.log(1 / 0.07))
    self.log_scale = self.param("log_scale", initial, ())

  def encode_text(self, text: jax.Array) -> jax.Array:
    """Maps texts (L, N), integer tokens, to features (L, D) for any clip.

    Raises:
      ValueError: If the head reads no texts or the tokens do not fit.
    """
    if not self.reads_text:
      raise ValueError(f"head {self.head!r} reads no texts.")
    return self.text(text)

  def __call__(
    self,
    clip: jax.Array,
    text: jax.Array | None = None,
    train: bool = False,
  ) -> tuple[jax.Array, dict]:
    """Classifies clips.

    Args:
      clip: Normalised frames (B, T, H, W, 3), floating point; `patch_size`
        divides H and W.
      text: For head "text" a text for each class: integer tokens (L, N), or
        features (L, D) that `encode_text` gave. `init` does without.
      train: Whether anything is dropped and BatchNorm trains.

    Returns:
      Logits (B, L), float32, and aux: as in `VisionTransformer`, but "features"
      (B, D) of the clips, and "text_features" (L, D) of the texts without
      prompts.

    Raises:
      ValueError: If clips or texts do not fit.
    """
    features, aux = self.visual(clip, train)
    if self.integration_depth:
      features = self.integration(aux["frame_features"], train)
    aux |= {"features": features.astype(jnp.float32)}
    if self.head == "linear":
      return self.classifier(features, train), aux
    aux["text_features"] = texts = self._text_features(text)
    return self._compare(aux["features"], texts, aux["tokens"]), aux

  def _text_features(self, text: jax.Array | None) -> jax.Array:
    """Returns features of texts that may be features already."""
    if text is None:
      if not self.is_initializing():
        raise ValueError("head 'text' needs texts.")
      text = jnp.zeros((1, self.context), jnp.int32)
    if jnp.issubdtype(text.dtype, jnp.integer):
      return self.encode_text(text)
    if text.ndim != 2 or text.shape[1] != self.projection:
      raise ValueError(
        f"text must be integer tokens (L, N) or features (L, "
        f"{self.projection}), got {text.dtype} {text.shape}."
      )
    return text.astype(jnp.float32)

  def _compare(
    self, features: jax.Array, texts: jax.Array, tokens: jax.Array
  ) -> jax.Array:
    """Returns logits (B, L): scaled cosines of clips and texts."""
    if self.prompt_depth:
      # The mean over frames before the matrix: as good, and T times cheaper.
      patches = jnp.mean(self.prompt_norm(tokens[:, :, 1:]), axis=1)
      texts = jnp.broadcast_to(texts[None], (features.shape[0], *texts.shape))
      prompt = self.prompt(texts, self.prompt_projection(patches))
      texts = texts + prompt.astype(jnp.float32)
    features, texts = ops.l2_normalize(features), ops.l2_normalize(texts)
    clips_texts = "bd,bld->bl" if self.prompt_depth else "bd,ld->bl"
    return jnp.exp(self.log_scale) * jnp.einsum(clips_texts, features, texts)  # (B, L)
