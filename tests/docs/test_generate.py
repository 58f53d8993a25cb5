"""The generated tables of the pages are as `make docs` would write them."""

import re
import urllib.parse

import pytest

from docs import generate, operator_tables
from temporal_jax import models


@pytest.mark.parametrize("page", generate.TABLES)
def test_the_page_is_up_to_date(page):
  assert generate.render(page) == (generate.DOCS / page).read_text(), "run make docs"


@pytest.mark.parametrize("package", generate.REFERENCE)
def test_the_reference_has_every_public_name(package):
  page = generate.DOCS / "api" / f"{package.rpartition('.')[2]}.md"
  assert generate.reference(package) == page.read_text(), "run make docs"


def test_every_network_and_operator_has_a_row():
  _, *rows = generate.networks()
  assert [row[0] for row in rows] == [f"`{name}`" for name in models.MODELS]
  _, *rows = operator_tables.operators()
  assert [row[0] for row in rows] == [f"`{name}`" for name in models.OPERATORS]
  assert operator_tables.WORDS.keys() == models.OPERATORS.keys()
  for rows in (generate.networks(), operator_tables.operators(), generate.recipes()):
    head, *rows = rows
    assert all(len(row) == len(head) for row in rows)
    assert not any("|" in cell or "\n" in cell for row in rows for cell in row)


def test_every_class_of_the_catalog_is_a_column():
  columns = operator_tables.backbones()
  classes = {entry.module.__name__ for entry in models.MODELS.values()}
  assert set(columns) == classes | {"R(2+1)D"}
  for network in columns.values():
    assert network.SLOTS


def test_links_lead_to_pages():
  _, *rows = generate.networks()
  text = " ".join(cell for row in rows for cell in row)
  links = re.findall(r"\]\((.*?)\)", text)
  assert len(links) > 150
  for link in links:
    parts = urllib.parse.urlparse(link)
    assert parts.scheme == "https", link
    assert parts.netloc in (
      "arxiv.org",
      "github.com",
      "huggingface.co",
      "modelscope.cn",
    )
  assert "[openai/CLIP](https://github.com/openai/CLIP)" in text
  assert "[arXiv:2103.00020](https://arxiv.org/abs/2103.00020)" in text


def test_hand_written_parts_stay(tmp_path, monkeypatch):
  monkeypatch.setattr(generate, "DOCS", tmp_path)
  rows = [("name", "width"), ("`a`", "3")]
  monkeypatch.setattr(generate, "TABLES", {"page.md": {"widths": lambda: iter(rows)}})
  page = tmp_path / "page.md"
  begin, end = "<!-- table widths, written by make docs -->", "<!-- end -->"
  page.write_text(f"before\n\n{begin}\nold\n{end}\n\nafter {end}\n")
  table = "| name | width |\n| --- | --- |\n| `a` | 3 |\n"
  want = f"before\n\n{begin}\n{table}{end}\n\nafter {end}\n"
  assert generate.render("page.md") == want
  page.write_text(want)
  assert generate.render("page.md") == want


@pytest.mark.parametrize(
  "text",
  ["", "<!-- table widths, written by make docs -->\n", "<!-- end -->"],
)
def test_a_page_without_the_marks_is_refused(tmp_path, monkeypatch, text):
  monkeypatch.setattr(generate, "DOCS", tmp_path)
  monkeypatch.setattr(generate, "TABLES", {"page.md": {"widths": lambda: iter([])}})
  (tmp_path / "page.md").write_text(text)
  with pytest.raises(ValueError, match=r"docs/page\.md lacks the line"):
    generate.render("page.md")


def test_a_config_that_does_not_say_what_it_follows_is_refused(monkeypatch):
  for name in generate.papers():
    module = generate.config_module(name)
    monkeypatch.setattr(module, "__doc__", "Runs of a paper.\n\nIt follows x.yaml.")
    with pytest.raises(ValueError, match=rf"configs/{name}\.py must state what it 'Fo"):
      list(generate.sources())
    monkeypatch.undo()
  _, *rows = generate.sources()
  assert [row[0] for row in rows] == [
    f"`configs/{name}.py`" for name in generate.papers()
  ]
  assert rows[1][1] == (
    "section 4.1 of arXiv:1912.00869 and, where that is silent, the code in "
    "IBM/bLVNet-TAM."
  )


def test_a_run_shows_the_tables_that_start_from_it():
  _, *rows = generate.recipes()
  tables = {row[0].strip("`"): row[-1].split(", ") for row in rows}
  assert "3c" in tables["tada:residual_k400"]
  assert "8" in tables["tada:former_b16_k400"]
  assert tables["atm:vit_l14_charades"] == ["A9"]


def test_readme_counts_the_networks():
  count = len(models.list_models())
  text = (generate.DOCS.parent / "README.md").read_text()
  assert f"- **Networks**: {count};" in text
