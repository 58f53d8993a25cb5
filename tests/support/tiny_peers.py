"""Small networks of transformers with ours of the same sizes."""

import transformers

from benchmarks.cases.networks import NetworkCase, find_cases
from benchmarks.reference import hub
from benchmarks.shared.labels import label_tokens
from tests.support import tiny_video_text, torch_video_transformers

_VOCABULARY = 49408  # CLIP's.


def videomae() -> tuple[NetworkCase, tuple[int, int, int]]:
  """Returns a VideoMAE and the size of its clips."""
  (case,) = find_cases(["videomae_b16"])
  config = transformers.VideoMAEConfig(
    **torch_video_transformers.CONFIG, patch_size=torch_video_transformers.PATCH
  )

  def theirs():
    return hub.Clips(transformers.VideoMAEForVideoClassification(config))

  kwargs = {**case.kwargs, **torch_video_transformers.SIZES, "num_classes": 5}
  side = torch_video_transformers.SIDE
  shape = (torch_video_transformers.FRAMES, side, side)
  return case._replace(theirs=theirs, kwargs=kwargs), shape


def xclip() -> tuple[NetworkCase, tuple[int, int, int]]:
  """Returns an X-CLIP and the size of its clips."""
  (case,) = find_cases(["xclip_b32"])
  config = tiny_video_text.huggingface_config(_VOCABULARY)

  def theirs():
    network = transformers.XCLIPModel(config)
    return hub.LabelledClips(network, **label_tokens(case.labels))

  kwargs = {**case.kwargs, **tiny_video_text.SIZES, "vocabulary": _VOCABULARY}
  return case._replace(theirs=theirs, kwargs=kwargs), (3, 16, 16)
