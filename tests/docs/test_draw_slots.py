"""The drawing of the blocks names the slots that networks have."""

import pytest

from docs import draw_slots
from temporal_jax.models import ResNet, VisionTransformer
from temporal_jax.models.blocks import residual_stages


def test_slots_are_those_of_the_networks():
  residual = {*ResNet.SLOTS, *residual_stages.FACTORISED_SLOTS}
  assert dict(draw_slots.RESIDUAL).keys() == residual
  assert dict(draw_slots.TRANSFORMER).keys() == set(VisionTransformer.SLOTS)


@pytest.mark.parametrize("theme", draw_slots._THEMES)
def test_the_drawing_is_up_to_date(theme, tmp_path, monkeypatch):
  monkeypatch.setattr(draw_slots, "FOLDER", tmp_path)
  draw_slots.main()
  name = f"slots_{theme}.svg"
  # Fonts may differ between versions of matplotlib: the words may not.
  kept = (
    draw_slots.pathlib.Path(draw_slots.__file__).parent / "pictures" / name
  ).read_text()
  assert kept.count("<g id=") == (tmp_path / name).read_text().count("<g id=")
