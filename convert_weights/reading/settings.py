"""Settings of the network that a checkpoint holds next to tensors.

Tensors do not show which activation a network has, how many heads, or how far
a temporal operator reaches. Some files state it: the training program's
arguments inside a checkpoint, the code of a TorchScript archive, and the
configuration that `save_pretrained` writes into the same folder.
"""

import math
import pathlib
import re
import types
import zipfile
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from convert_weights.reading.errors import CheckpointError
from convert_weights.reading.json_files import read_object

# Entries of a checkpoint in which programs keep their arguments.
_ENTRIES = ("hyper_parameters", "hparams", "args", "opt", "config", "cfg")
# Names of the weights that `save_pretrained` of transformers, timm and
# open_clip writes; a configuration next to a file of another name may be
# another network's.
_PRETRAINED = re.compile(
  r"(open_clip_)?(pytorch_)?model([-.].*)?\.(safetensors|bin)(\.index\.json)?"
)
_LONGEST = 2**20  # Characters of a YAML text; published ones have 5,000.
_LARGEST_CODE = 2**24  # Bytes of one file of code; OpenAI's have up to 200,000.
_DEEPEST = 3  # Mappings within mappings that are searched.
# model_type of transformers -> its defaults, which newer files leave out.
_TRANSFORMERS = {
  "clip": {"hidden_act": "quick_gelu", "layer_norm_eps": 1e-5},
  "clip_vision_model": {"hidden_act": "quick_gelu", "layer_norm_eps": 1e-5},
  "xclip": {"hidden_act": "quick_gelu", "layer_norm_eps": 1e-5},
  "vit": {"hidden_act": "gelu", "layer_norm_eps": 1e-12},
  "vit_mae": {"hidden_act": "gelu", "layer_norm_eps": 1e-12},
  "vit_msn": {"hidden_act": "gelu", "layer_norm_eps": 1e-6},
  "timesformer": {"hidden_act": "gelu", "layer_norm_eps": 1e-6},
  "videomae": {"hidden_act": "gelu", "layer_norm_eps": 1e-12},
  "vivit": {"hidden_act": "gelu_fast", "layer_norm_eps": 1e-6},
  "vjepa2": {"hidden_act": "gelu", "layer_norm_eps": 1e-6},
  "dinov2": {"hidden_act": "gelu", "layer_norm_eps": 1e-6},
  "dinov2_with_registers": {"hidden_act": "gelu", "layer_norm_eps": 1e-6},
  "dinov3_vit": {"hidden_act": "gelu", "layer_norm_eps": 1e-5},
  "siglip": {"hidden_act": "gelu_pytorch_tanh", "layer_norm_eps": 1e-6},
  "siglip2": {"hidden_act": "gelu_pytorch_tanh", "layer_norm_eps": 1e-6},
  "siglip_vision_model": {"hidden_act": "gelu_pytorch_tanh", "layer_norm_eps": 1e-6},
  "siglip2_vision_model": {"hidden_act": "gelu_pytorch_tanh", "layer_norm_eps": 1e-6},
}
# Sizes in a configuration of transformers, and of open_clip.
_SIZES = ("hidden_size", "num_hidden_layers", "num_attention_heads")
_SIZES += ("intermediate_size", "patch_size", "image_size", "num_channels")
_OPEN_CLIP_SIZES = ("width", "layers", "heads", "head_width", "patch_size")
# model_type of transformers -> the values that networks here have. The norms of
# ConvNeXt's blocks are 1e-6 in its code; this is that of the last one.
_ONLY = {
  "resnet": {
    "hidden_act": ("relu",),
    "downsample_in_bottleneck": (False,),
    "downsample_in_first_stage": (False,),
  },
  "convnext": {"hidden_act": ("gelu",), "layer_norm_eps": (1e-12, 1e-6)},
  "dinov3_convnext": {"hidden_act": ("gelu",), "layer_norm_eps": (1e-6,)},
  "dinov3_vit": {"rope_theta": (100.0,)},
  "vjepa2": {"tubelet_size": (2,), "qkv_bias": (True,), "num_pooler_layers": (3,)},
}
# Names of one function in transformers -> its name here.
_SAME_ACTIVATION = dict.fromkeys(
  ("gelu_fast", "gelu_new", "gelu_pytorch_tanh"), "gelu_tanh"
)


class Setting(NamedTuple):
  """One argument of a network.

  Attributes:
    value: Value in the file.
    where: The file or the entry, and the key in it.
  """

  value: Any
  where: str


# Argument of a network -> its statements, one per place. As well as arguments
# of `create_model`: "text_activation", "pooling" ("average", where the patches
# and not the class token are read) and "pixels" ((mean, std) of R, G and B).
Settings = Mapping[str, tuple[Setting, ...]]


def find_settings(path: pathlib.Path, form: str, tree: Any) -> Settings:
  """Returns the arguments of the network that a checkpoint states.

  Args:
    path: The file, or its folder.
    form: Its format, see `Checkpoint`.
    tree: Content of the file.

  Raises:
    CheckpointError: If a configuration in its folder is no JSON object.
  """
  found: dict[str, tuple[Setting, ...]] = {}
  for name, setting in _all(path, form, tree):
    found[name] = (*found.get(name, ()), setting)
  return found


def _all(path: pathlib.Path, form: str, tree: Any) -> Iterator[tuple[str, Setting]]:
  if form == "torchscript" and path.is_file():
    yield from _in_code(path)
  if isinstance(tree, Mapping):
    yield from _in_entries(tree)
  folder = path if path.is_dir() else path.parent
  if path.is_dir() or _PRETRAINED.fullmatch(path.name):
    for name, read in (
      ("config.json", _in_config),
      ("open_clip_config.json", _in_open_clip),
      ("preprocessor_config.json", _in_preprocessor),
      ("video_preprocessor_config.json", _in_preprocessor),
    ):
      if (folder / name).is_file():
        yield from read(read_object(folder / name), name)


def _in_code(path: pathlib.Path) -> Iterator[tuple[str, Setting]]:
  """Yields the activation of a CLIP whose code is in its archive.

  QuickGELU is the only thing in CLIP that has a sigmoid.
  """
  calls = set()
  with zipfile.ZipFile(path) as archive:
    for entry in archive.infolist():
      if entry.filename.endswith(".py") and entry.file_size <= _LARGEST_CODE:
        code = archive.read(entry)
        calls |= set(re.findall(rb"torch\.(gelu|sigmoid)\(", code))
  if len(calls) == 1:
    name = "gelu" if calls == {b"gelu"} else "quick_gelu"
    yield "activation", Setting(name, "the code in the archive")


def _in_entries(tree: Mapping[Any, Any]) -> Iterator[tuple[str, Setting]]:
  for entry in _ENTRIES:
    value = tree.get(entry)
    if isinstance(value, str):  # YAML, as yacs dumps it.
      yield from _in_xvit({"XVIT": _values(value)}, entry)
    for mapping in _mappings(value, _DEEPEST):
      yield from _in_arguments(mapping, entry)
      yield from _in_xvit(mapping, entry)
  # open_clip's training names a run by its model.
  run = tree.get("name")
  if isinstance(run, str) and (model := re.search(r"model_(ViT-[\w-]+?)-lr_", run)):
    yield "activation", Setting(_of_model(model[1]), "name (the model in it)")


def _mappings(value: Any, depth: int) -> Iterator[Mapping[Any, Any]]:
  """Yields a mapping and those within it."""
  if isinstance(value, types.SimpleNamespace):
    value = vars(value)
  if isinstance(value, Mapping) and depth:
    yield value
    for inner in value.values():
      yield from _mappings(inner, depth - 1)


def _in_arguments(
  given: Mapping[Any, Any], entry: str
) -> Iterator[tuple[str, Setting]]:
  """Yields the settings in the arguments of open_clip or a similar program."""
  model = given.get("model")
  for key in ("force_quick_gelu", "quick_gelu"):
    if isinstance(given.get(key), bool):
      known = _of_model(model) if isinstance(model, str) else "gelu"
      value = "quick_gelu" if given[key] else known
      yield "activation", Setting(value, f"{entry} ({key})")
      return
  for key in ("activation", "hidden_act"):
    name = given.get(key)
    # Others are of heads, of losses or of networks without a ViT.
    if isinstance(name, str) and "gelu" in name.lower():
      value = name.lower().replace("quickgelu", "quick_gelu")
      yield "activation", Setting(value, f"{entry} ({key})")
      return
  if isinstance(model, str) and re.match(r"ViT-.+quickgelu$", model):
    yield "activation", Setting("quick_gelu", f"{entry} (model)")


def _of_model(name: str) -> str:
  """Returns the activation of a model by its name in open_clip."""
  return "quick_gelu" if name.lower().endswith("quickgelu") else "gelu"


def _in_xvit(given: Mapping[Any, Any], entry: str) -> Iterator[tuple[str, Setting]]:
  """Yields the operator that X-ViT's configuration asks for."""
  xvit = given.get("XVIT")
  if not isinstance(xvit, Mapping):
    return
  division, segment = xvit.get("SHIFT_DIV"), xvit.get("NUM_SEGMENTS")
  if division is None or segment is None:
    return
  operators = {
    (8, 8): "mixing_eight",
    (8, 16): "mixing",
    (4, 16): "mixing_quarter",
  }
  said = f"SHIFT_DIV {division}, NUM_SEGMENTS {segment}"
  operator = operators.get((division, segment), said)
  places = xvit.get("LOCATIONS_LIST", range(12))
  if xvit.get("USE_XVIT") is False:
    said = operator = "USE_XVIT False"
  elif not {*range(12)} <= {*places}:  # Its ViT-B has twelve blocks.
    said = operator = f"LOCATIONS_LIST {list(places)}"
  yield "temporal", Setting(operator, f"{entry} ({said})")


def _values(text: str) -> dict[str, Any]:
  """Returns whole numbers, truth values and lists of numbers of a YAML text.

  Only lines "key: value" are read, and lists in brackets or of one number per
  line.
  """
  found: dict[str, Any] = {}
  for key, value, items in re.findall(
    r"^ *(\w+):(?: (\S.*))?$((?:\n *- \d+$)*)", text[:_LONGEST], re.MULTILINE
  ):
    if re.fullmatch(r"\d+", value):
      found[key] = int(value)
    elif value.lower() in ("true", "false"):
      found[key] = value.lower() == "true"
    elif items or value.startswith("["):
      numbers = re.findall(r"\d+", items or value)
      found[key] = [int(number) for number in numbers]
  return found


def _in_config(config: Mapping[str, Any], name: str) -> Iterator[tuple[str, Setting]]:
  """Yields the settings in a config.json of transformers or of timm."""
  timm = config.get("pretrained_cfg")
  if isinstance(timm, Mapping):
    yield from _pixels(timm, "mean", "std", f"{name} (pretrained_cfg)")
  architecture = config.get("architecture")
  if isinstance(architecture, str) and "_clip_" in architecture:
    value = "quick_gelu" if "_quickgelu_" in architecture else "gelu"
    yield "activation", Setting(value, f"{name} (architecture)")
  kind = config.get("model_type")
  if not isinstance(kind, str):
    return
  _check_constants(_ONLY.get(kind, {}), config, name)
  if kind not in _TRANSFORMERS:
    return
  defaults, inner = _TRANSFORMERS[kind], ""
  vision = config
  if isinstance(config.get("vision_config"), Mapping):
    vision, inner = config["vision_config"], "vision_config."
  _check_sizes(vision, _SIZES, f"{name} ({inner}")
  for key, argument in (
    ("hidden_act", "activation"),
    ("layer_norm_eps", "epsilon"),
    ("num_attention_heads", "num_heads"),
  ):
    value = vision.get(key, defaults.get(key))
    if key == "hidden_act" and vision.get("use_gated_mlp"):
      _check_constants({key: ("silu",)}, vision, name)  # It is that of the gate.
      continue
    if argument == "activation" and isinstance(value, str):
      value = _SAME_ACTIVATION.get(value, value)
    yield from _scalar(argument, value, f"{name} ({inner}{key})")
  if kind == "videomae" and config.get("use_mean_pooling", True):
    # A constant of its code, whatever layer_norm_eps is.
    yield "last_epsilon", Setting(1e-5, f"{name} (use_mean_pooling)")
  text = config.get("text_config")
  if isinstance(text, Mapping):
    _check_sizes(text, _SIZES, f"{name} (text_config.")
    for key, argument in (
      ("hidden_act", "text_activation"),
      ("num_attention_heads", "text_heads"),
    ):
      value = text.get(key, defaults.get(key))
      yield from _scalar(argument, value, f"{name} (text_config.{key})")


def _check_constants(
  constants: Mapping[str, Collection[Any]], config: Mapping[str, Any], name: str
) -> None:
  """Raises CheckpointError if a configuration has other values."""
  for key, values in constants.items():
    if key in config and config[key] not in values:
      allowed = " or ".join(map(repr, values))
      raise CheckpointError(
        f"{name} has {key} {config[key]!r}; the networks here have {allowed}."
      )


def _in_open_clip(
  config: Mapping[str, Any], name: str
) -> Iterator[tuple[str, Setting]]:
  """Yields the settings in an open_clip_config.json."""
  model = config.get("model_cfg", config)
  if not isinstance(model, Mapping):
    return
  is_quick = bool(model.get("quick_gelu", False))
  value = "quick_gelu" if is_quick else "gelu"
  vision = model.get("vision_cfg")
  if isinstance(vision, Mapping):
    if vision.get("act_kwargs"):
      value = f"{value} with {vision['act_kwargs']}"
    _check_sizes(vision, _OPEN_CLIP_SIZES, f"{name} (vision_cfg.")
    width, channels = vision.get("width"), vision.get("head_width", 64)
    if isinstance(width, int) and isinstance(channels, int) and channels > 0:
      where = f"{name} (vision_cfg.head_width)"
      _check_positive(where, width // channels)
      yield "num_heads", Setting(width // channels, where)
    if vision.get("pool_type", "tok") == "avg":
      yield "pooling", Setting("average", f"{name} (vision_cfg.pool_type)")
  yield "activation", Setting(value, f"{name} (quick_gelu)")
  text = model.get("text_cfg")
  if isinstance(text, Mapping):
    _check_sizes(text, _OPEN_CLIP_SIZES, f"{name} (text_cfg.")
    yield from _scalar("text_heads", text.get("heads"), f"{name} (text_cfg)")
  prepared = config.get("preprocess_cfg")
  if isinstance(prepared, Mapping):
    yield from _pixels(prepared, "mean", "std", f"{name} (preprocess_cfg)")


def _in_preprocessor(
  config: Mapping[str, Any], name: str
) -> Iterator[tuple[str, Setting]]:
  yield from _pixels(config, "image_mean", "image_std", name)


def _scalar(argument: str, value: Any, where: str) -> Iterator[tuple[str, Setting]]:
  """Yields a value, if there is one.

  Raises:
    CheckpointError: If it is not of the argument's type, or not positive.
  """
  kind = int if argument.endswith("heads") else float
  kind = str if argument.endswith("activation") else kind
  if value is None:
    return
  if not isinstance(value, kind) or isinstance(value, bool):
    raise CheckpointError(f"{where} must be {kind.__name__}, it is {value!r:.50}.")
  if kind is not str:
    _check_positive(where, value)
  yield argument, Setting(value, where)


def _check_sizes(config: Mapping[str, Any], names: Collection[str], where: str) -> None:
  """Raises CheckpointError if numbers of a configuration cannot be sizes.

  Args:
    config: The configuration.
    names: Names of sizes; those of other types are not looked at.
    where: Its file and the beginning of the names in it, "FILE (PART.".
  """
  for name in names:
    if isinstance(config.get(name), int | float):
      _check_positive(f"{where}{name})", config[name])


def _check_positive(where: str, value: float) -> None:
  if not 0 < value < math.inf:
    raise CheckpointError(f"{where} must be positive and finite, it is {value!r:.50}.")


def _pixels(
  given: Mapping[str, Any], mean: str, std: str, where: str
) -> Iterator[tuple[str, Setting]]:
  both = given.get(mean), given.get(std)
  if None in both:
    return
  for values in both:
    is_list = isinstance(values, list) and len(values) == 3
    if not is_list or not all(isinstance(x, int | float) for x in values):
      raise CheckpointError(
        f"{where} must give {mean} and {std} of three colours, it gives {values!r:.50}."
      )
  for value in both[1]:
    _check_positive(f"{where} ({std})", value)
  yield "pixels", Setting((tuple(both[0]), tuple(both[1])), where)
