"""The list of published weights."""

import json

import pytest

from convert_weights import SOURCES
from temporal_jax import hub, models
from temporal_jax.cli import main
from temporal_jax.display import tables
from temporal_jax.models.catalog import published_weights
from temporal_jax.models.catalog.published_weights import (
  PublishedWeights,
  find_weights,
  read_weights,
)

_LICENSES = {
  "Apache-2.0",
  "Apache-2.0 (software); CC-BY-4.0 (all other materials)",
  "BSD-3-Clause",
  "CC-BY-NC-4.0",
  "DINOv3 License",
  "MIT",
  None,
}


@pytest.mark.parametrize("one", read_weights(), ids=lambda one: one.title)
def test_facts_are_well_formed(one):
  assert one.network is None or one.network in models.MODELS
  assert one.format is None or one.format in SOURCES
  if hub.is_address(one.address):
    hub.parse_address(one.address)
  else:
    assert one.address.startswith(("https://", "http://"))
  assert one.license in _LICENSES
  assert one.restricted or one.license not in ("CC-BY-NC-4.0", "DINOv3 License")
  if one.sha256:
    assert len(one.sha256) == 64
    assert not set(one.sha256) - set("0123456789abcdef")


def test_a_network_has_its_weights(capsys):
  assert main(["weights", "vit_b16"]) == 0
  head, *rows = capsys.readouterr().out.splitlines()
  assert head.split() == ["network", "weights", "and", "address", "size", "licence"]
  assert all(row.startswith("vit_b16") for row in rows)
  assert any("hf://openai/clip-vit-base-patch16 " in row for row in rows)
  assert any("ViT-B-16.pt" in row and row.endswith("MIT") for row in rows)


def test_licences_that_forbid_uses_are_marked(capsys):
  assert main(["weights", "resnet50"]) == 0
  rows = capsys.readouterr().out.splitlines()
  assert any(row.endswith("! CC-BY-NC-4.0") for row in rows)


def test_others_are_listed_on_request(capsys):
  assert main(["weights", "dinov3", "--all"]) == 0
  assert "! DINOv3 License" in capsys.readouterr().out
  assert main(["weights", "*", "--all"]) == 0
  _, *rows, licences, addresses = capsys.readouterr().out.splitlines()
  assert len(rows) == len(read_weights())
  assert licences.startswith('"!": ')
  assert addresses.startswith('"?": ')
  assert main(["weights"]) == 0
  *_, last = capsys.readouterr().out.splitlines()
  unread = sum(one.format is None for one in read_weights())
  assert last.startswith(f"{unread} more have names that no network reads yet")


def test_doubtful_addresses_are_marked(capsys):
  doubtful = [one for one in read_weights() if not one.confirmed]
  assert doubtful
  assert main(["weights", "*", "--all"]) == 0
  out = capsys.readouterr().out
  assert out.count(" ? ") == len(doubtful)


def test_json_has_all_facts(capsys):
  assert main(["weights", "eva_l14", "--json"]) == 0
  records = json.loads(capsys.readouterr().out)
  assert {"sha256", "license", "address", "format"} <= records[0].keys()


def test_a_terminal_of_80_columns_has_whole_addresses(capsys, monkeypatch):
  monkeypatch.setattr(tables, "output_width", lambda: 80)
  assert main(["weights", "--all"]) == 0
  lines = capsys.readouterr().out.splitlines()
  addresses = [line for line in lines if line.startswith("    ")]
  assert [line.strip(" ?") for line in addresses] == [
    one.address for one in read_weights()
  ]
  others = [line.strip() for line in lines if line not in addresses]
  assert max(len(line) for line in others if " " in line) <= 80


def test_a_terminal_that_has_room_has_a_line_for_each(capsys, monkeypatch):
  assert main(["weights", "resnet18"]) == 0
  plain = capsys.readouterr().out
  monkeypatch.setattr(tables, "output_width", lambda: 300)
  assert main(["weights", "resnet18"]) == 0
  assert capsys.readouterr().out == plain
  assert "\nresnet18  ResNet: hf://microsoft/resnet-18 " in plain


def test_unknown_names_are_refused(capsys, monkeypatch):
  assert main(["weights", "resnet51"]) == 2
  assert "no weights are known of 'resnet51'; did you mean" in capsys.readouterr().err
  unread = PublishedWeights("Unread net", "https://a.org/b", False, True)
  monkeypatch.setattr(published_weights, "read_weights", lambda: (unread,))
  assert main(["weights", "unread"]) == 2
  assert "--all lists them" in capsys.readouterr().err


def test_a_pattern_is_of_the_network_or_of_words():
  assert {one.network for one in find_weights("blresnet*")} == {
    "blresnet50",
    "blresnet101",
  }
  assert [*find_weights("")] == [*find_weights("*")] == [*read_weights()]
  assert find_weights("DINOv3") == find_weights("dinov3")
  # The titles of its authors' own weights have a hyphen.
  assert find_weights("xclip") == find_weights("xclip_*")
