import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from temporal_jax.data.augmentation.resample import resample

FRAMES = np.random.default_rng(0).integers(0, 256, (2, 24, 33, 3), np.uint8)
PIL_METHODS = {
  "bilinear": Image.Resampling.BILINEAR,
  "bicubic": Image.Resampling.BICUBIC,
}


compiled = jax.jit(resample, static_argnames=("size", "method", "antialias", "crop"))


def run(frames, box, size, **options):
  box = jnp.asarray(box, jnp.float32)
  return np.asarray(compiled(frames, box, size, **options))


# PIL rounds weights, and levels between the axes: one level may differ.
@pytest.mark.parametrize("method", PIL_METHODS)
@pytest.mark.parametrize("box", [(3, 5, 17, 20), (0, 0, 24, 33), (7, 2, 4, 6)])
def test_a_box_is_cropped_and_resized_as_by_pil(method, box):
  top, left, height, width = box
  got = run(FRAMES, box, (11, 9), method=method)
  for frame, image in zip(FRAMES, got, strict=True):
    cropped = frame[top : top + height, left : left + width]
    want = Image.fromarray(cropped).resize((9, 11), PIL_METHODS[method])
    assert np.abs(image.astype(int) - np.asarray(want)).max() <= 1


def test_a_part_of_the_resized_frame_is_as_by_pil():
  box = (3.25, 5.5, 16.0, 20.75)
  got = run(FRAMES, box, (11, 9), crop=False)
  corners = (box[1], box[0], box[1] + box[3], box[0] + box[2])
  want = Image.fromarray(FRAMES[0]).resize(
    (9, 11), Image.Resampling.BILINEAR, box=corners
  )
  assert np.abs(got[0].astype(int) - np.asarray(want)).max() <= 1


def test_without_antialias_as_by_torch():
  torch = pytest.importorskip("torch")
  frames = FRAMES.astype(np.float32)
  got = run(frames, (2, 4, 20, 24), (7, 8), antialias=False)
  cropped = torch.tensor(frames[:, 2:22, 4:28]).permute(0, 3, 1, 2)
  want = torch.nn.functional.interpolate(
    cropped, size=(7, 8), mode="bilinear", align_corners=False
  )
  np.testing.assert_allclose(
    got, want.permute(0, 2, 3, 1).numpy(), rtol=1e-4, atol=1e-2
  )


def test_a_box_of_the_same_size_is_a_slice():
  got = run(FRAMES, (4, 6, 10, 10), (10, 10), crop=False)
  np.testing.assert_array_equal(got, FRAMES[:, 4:14, 6:16])
