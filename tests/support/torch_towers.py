"""Small ViTs and ConvNeXts of torch, under the names of published weights."""

import collections

import torch

WIDTH, HEADS, PATCH, GRID = 32, 2, 4, 4
# The same sizes as arguments of the networks here.
TOWER = {"width": 32, "depth": 2, "num_heads": 2, "patch_size": 4, "grid": 4}
STAGES = {"stage_sizes": (1, 2), "widths": (8, 12)}


class ClassToken(torch.nn.Module):
  """Patches and a class token with positions, without parameters of its own."""

  def forward(self, images, patches, first, places):
    """Maps images (B, 3, H, W) to tokens (B, 1 + N, D)."""
    x = patches(images).flatten(2).transpose(1, 2)
    return torch.cat([first.expand(len(x), 1, -1), x], dim=1) + places


class TorchvisionBlock(torch.nn.Module):
  """torchvision's `EncoderBlock`."""

  def __init__(self, older=False):
    super().__init__()
    norm = torch.nn.LayerNorm
    self.ln_1, self.ln_2 = norm(WIDTH, eps=1e-6), norm(WIDTH, eps=1e-6)
    self.self_attention = torch.nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
    layers = torch.nn.Linear(WIDTH, 4 * WIDTH), torch.nn.Linear(4 * WIDTH, WIDTH)
    names = ("linear_1", "linear_2") if older else ("0", "3")
    self.mlp = torch.nn.ModuleDict(dict(zip(names, layers, strict=True)))

  def forward(self, x):
    y = self.ln_1(x)
    x = x + self.self_attention(y, y, y, need_weights=False)[0]
    expand, contract = self.mlp.values()
    return x + contract(torch.nn.functional.gelu(expand(self.ln_2(x))))


class TorchvisionViT(torch.nn.Module):
  """torchvision's `VisionTransformer`.

  Attributes:
    older: Whether the MLPs have the names of its first release.
    hidden: Width of the layer before the classes, None for none.
  """

  def __init__(self, classes=5, *, older=False, hidden=None):
    super().__init__()
    self.class_token = torch.nn.Parameter(torch.zeros(1, 1, WIDTH))
    self.conv_proj = torch.nn.Conv2d(3, WIDTH, PATCH, PATCH)
    self.encoder = torch.nn.Module()
    places = torch.zeros(1, GRID**2 + 1, WIDTH)
    self.encoder.pos_embedding = torch.nn.Parameter(places)
    blocks = {f"encoder_layer_{i}": TorchvisionBlock(older) for i in range(2)}
    self.encoder.layers = torch.nn.Sequential(collections.OrderedDict(blocks))
    self.encoder.ln = torch.nn.LayerNorm(WIDTH, eps=1e-6)
    heads = {"head": torch.nn.Linear(hidden or WIDTH, classes)}
    if hidden is not None:
      before = {"pre_logits": torch.nn.Linear(WIDTH, hidden), "act": torch.nn.Tanh()}
      heads = before | heads
    self.heads = torch.nn.Sequential(collections.OrderedDict(heads))
    self.embed = ClassToken()

  def forward(self, images):
    places = self.encoder.pos_embedding
    x = self.embed(images, self.conv_proj, self.class_token, places)
    return self.heads(self.encoder.ln(self.encoder.layers(x))[:, 0])


class TimmBlock(torch.nn.Module):
  """timm's `Block`."""

  def __init__(self, activation):
    super().__init__()
    self.norm1, self.norm2 = torch.nn.LayerNorm(WIDTH), torch.nn.LayerNorm(WIDTH)
    self.attn, self.mlp = torch.nn.Module(), torch.nn.Module()
    self.attn.qkv = torch.nn.Linear(WIDTH, 3 * WIDTH)
    self.attn.proj = torch.nn.Linear(WIDTH, WIDTH)
    self.mlp.fc1 = torch.nn.Linear(WIDTH, 4 * WIDTH)
    self.mlp.fc2 = torch.nn.Linear(4 * WIDTH, WIDTH)
    self.activation = activation

  def forward(self, x):
    qkv = self.attn.qkv(self.norm1(x)).unflatten(-1, (3, HEADS, -1))
    # (B, N, 3, M, d) -> (3, B, M, N, d)
    q, k, v = qkv.permute(2, 0, 3, 1, 4)
    heard = torch.nn.functional.scaled_dot_product_attention(q, k, v)
    x = x + self.attn.proj(heard.transpose(1, 2).flatten(2))
    return x + self.mlp.fc2(self.activation(self.mlp.fc1(self.norm2(x))))


class TimmClip(torch.nn.Module):
  """timm's `VisionTransformer` in CLIP's form; 0 `classes` are no head."""

  def __init__(self, classes, activation=torch.nn.functional.gelu):
    super().__init__()
    self.cls_token = torch.nn.Parameter(torch.zeros(1, 1, WIDTH))
    self.pos_embed = torch.nn.Parameter(torch.zeros(1, GRID**2 + 1, WIDTH))
    self.patch_embed = torch.nn.Module()
    self.patch_embed.proj = torch.nn.Conv2d(3, WIDTH, PATCH, PATCH, bias=False)
    self.norm_pre, self.norm = torch.nn.LayerNorm(WIDTH), torch.nn.LayerNorm(WIDTH)
    self.blocks = torch.nn.Sequential(*(TimmBlock(activation) for _ in range(2)))
    identity = torch.nn.Identity()
    self.head = torch.nn.Linear(WIDTH, classes) if classes else identity
    self.embed = ClassToken()

  def forward(self, images):
    patches = self.patch_embed.proj
    x = self.embed(images, patches, self.cls_token, self.pos_embed)
    return self.head(self.norm(self.blocks(self.norm_pre(x)))[:, 0])


class ChannelsNorm(torch.nn.LayerNorm):
  """A norm of the channels of maps (B, C, H, W)."""

  def __init__(self, channels):
    super().__init__(channels, eps=1e-6)

  def forward(self, x):
    return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class _Moved(torch.nn.Module):
  """Moves the channels of maps."""

  def __init__(self, start, end):
    super().__init__()
    self.axes = start, end

  def forward(self, x):
    return x.movedim(*self.axes)


class _TorchvisionConvBlock(torch.nn.Module):
  """torchvision's `CNBlock`."""

  def __init__(self, width):
    super().__init__()
    self.layer_scale = torch.nn.Parameter(torch.ones(width, 1, 1))
    self.block = torch.nn.Sequential(
      torch.nn.Conv2d(width, width, 7, padding=3, groups=width),
      _Moved(1, -1),
      torch.nn.LayerNorm(width, eps=1e-6),
      torch.nn.Linear(width, 4 * width),
      torch.nn.GELU(),
      torch.nn.Linear(4 * width, width),
      _Moved(-1, 1),
    )

  def forward(self, x):
    return x + self.layer_scale * self.block(x)


class TorchvisionConvNeXt(torch.nn.Module):
  """torchvision's `ConvNeXt`, of `STAGES`."""

  def __init__(self, classes=5):
    super().__init__()
    widths, parts = STAGES["widths"], []
    parts.append(_stem(widths[0]))
    for i, (size, width) in enumerate(zip(STAGES["stage_sizes"], widths, strict=True)):
      if i:
        parts.append(_between(widths[i - 1], width))
      blocks = (_TorchvisionConvBlock(width) for _ in range(size))
      parts.append(torch.nn.Sequential(*blocks))
    self.features = torch.nn.Sequential(*parts)
    self.classifier = torch.nn.Sequential(
      ChannelsNorm(widths[-1]),
      torch.nn.Flatten(1),
      torch.nn.Linear(widths[-1], classes),
    )

  def forward(self, images):
    return self.classifier(self.features(images).mean((2, 3), keepdim=True))


class _TimmConvBlock(torch.nn.Module):
  """timm's `ConvNeXtBlock`."""

  def __init__(self, width):
    super().__init__()
    self.conv_dw = torch.nn.Conv2d(width, width, 7, padding=3, groups=width)
    self.norm = torch.nn.LayerNorm(width, eps=1e-6)
    self.mlp = torch.nn.Module()
    self.mlp.fc1 = torch.nn.Linear(width, 4 * width)
    self.mlp.fc2 = torch.nn.Linear(4 * width, width)
    self.gamma = torch.nn.Parameter(torch.ones(width))

  def forward(self, x):
    y = self.norm(self.conv_dw(x).movedim(1, -1))
    y = self.mlp.fc2(torch.nn.functional.gelu(self.mlp.fc1(y)))
    return x + (self.gamma * y).movedim(-1, 1)


class _TimmStage(torch.nn.Module):
  """timm's `ConvNeXtStage`."""

  def __init__(self, size, before, width):
    super().__init__()
    identity = torch.nn.Identity()
    self.downsample = _between(before, width) if before else identity
    self.blocks = torch.nn.Sequential(*(_TimmConvBlock(width) for _ in range(size)))

  def forward(self, x):
    return self.blocks(self.downsample(x))


class TimmConvNeXt(torch.nn.Module):
  """timm's `ConvNeXt`, of `STAGES`."""

  def __init__(self, classes=5):
    super().__init__()
    widths = STAGES["widths"]
    self.stem = _stem(widths[0])
    before = (0, *widths[:-1])
    sizes = zip(STAGES["stage_sizes"], before, widths, strict=True)
    self.stages = torch.nn.Sequential(*(_TimmStage(*one) for one in sizes))
    self.head = torch.nn.Module()
    self.head.norm = ChannelsNorm(widths[-1])
    self.head.fc = torch.nn.Linear(widths[-1], classes)

  def forward(self, images):
    x = self.stages(self.stem(images)).mean((2, 3), keepdim=True)
    return self.head.fc(self.head.norm(x).flatten(1))


def _stem(width):
  return torch.nn.Sequential(torch.nn.Conv2d(3, width, 4, 4), ChannelsNorm(width))


def _between(before, width):
  conv = torch.nn.Conv2d(before, width, 2, 2)
  return torch.nn.Sequential(ChannelsNorm(before), conv)
