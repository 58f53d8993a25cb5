"""Instructions of a card: how to run an exported network."""

from collections.abc import Mapping
from typing import Any

_STABLEHLO = """\
With `pip install jax flatbuffers`, and nothing of temporal_jax:

```python
import pathlib, jax, numpy as np
from jax import export

model = export.deserialize(pathlib.Path("{file}").read_bytes())
clips = np.zeros({shape}, np.uint8)
probabilities = jax.jit(model.call)(clips)
```"""
_ONNX = """\
With `pip install onnxruntime`:

```python
import numpy as np, onnxruntime

session = onnxruntime.InferenceSession("{file}")
clips = np.zeros({shape}, np.uint8)
results = session.run({outputs}, {{"clips": clips}})
```"""
_SAVABLE = """\
With temporal_jax; `--config.init_from` and `--model` take the folder, or its
address hf://org/name, too:

```python
import numpy as np
import temporal_jax
from temporal_jax import inference

classify = inference.Classifier(temporal_jax.from_pretrained("."))
clips = np.zeros({shape}, np.uint8)
probabilities = classify(clips)
```"""
_FEATURES = """\
With temporal_jax; `--config.init_from` and `extract --model` take the folder, or
its address hf://org/name, too:

```python
import numpy as np
import temporal_jax
from temporal_jax import data

saved = temporal_jax.from_pretrained(".")
clips = np.zeros({shape}, np.uint8)
pixels = data.normalize(clips, saved.pixels["mean"], saved.pixels["std"])
features, _ = saved.network.apply(saved.variables, pixels)
```"""
_RUN = {"stablehlo": _STABLEHLO, "onnx": _ONNX, "savable": _SAVABLE}


def instructions(card: Mapping[str, Any]) -> str:
  """Returns instructions to run an exported network, in Markdown."""
  artifact, output = card["artifact"], card["output"]
  classes = output["classes"]
  batch, *rest = card["input"]["shape"]
  shape = (1 if batch == "B" else batch, *rest)
  tasks = isinstance(classes, Mapping)
  features = output["probabilities"] is None
  return (_FEATURES if features else _RUN[artifact["format"]]).format(
    file=artifact.get("file"),
    shape=shape,
    outputs=sorted(classes) if tasks else ["probabilities"],
  )
