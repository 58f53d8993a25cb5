"""Sampling rules: the frames of a video that make a clip.

| paper, data set | rule |
|---|---|
| TSN | segments |
| ATM, Something-Something; Charades in training | whole_segments |
| ATM, Kinetics and ActivityNet; Charades in tests | rounded_segments |
| ILA | rounded_segments("inside"), random_clips, fixed_stride |
| X-ViT, Kinetics | interval(16, single="start") |
| X-ViT, Something-Something | rounded_segments("borders") |
| bLVNet-TAM | equal_segments, equal_segments(shared=True) |
| TAda, Something-Something; TAdaFormer on Kinetics | nearest_segments |
| TAda, Kinetics | interval(8), interval(5) |
| TAda, EPIC-Kitchens | interval(8, fps=60) |

Rules with the name of another library, such as "mmaction2_clips", take exactly
its frames, see `sampling.other_libraries`.
"""

from temporal_jax.data.sampling.base import Lengths as Lengths, Sampling as Sampling
from temporal_jax.data.sampling.registry import (
  SAMPLINGS as SAMPLINGS,
  check as check,
  describe_sampling as describe_sampling,
  parse_sampling as parse_sampling,
  sample_indices as sample_indices,
)
from temporal_jax.data.sampling.time_span import frames_of_span as frames_of_span
