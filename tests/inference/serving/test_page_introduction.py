from tests.support.page_content import (
  LABELS,
  introduction,
  text,
)
from tests.support.page_server import running


def test_the_network_is_introduced_before_a_video(page):
  browser, server = page
  browser.open(server.url)
  assert text(browser, "#network") == "tiny · 3 classes"
  assert text(browser, "#name") == "tiny"
  assert text(browser, "#facts").split("\n") == [
    "Clips",
    "4 frames of 16 \u00d7 16 pixels",
  ]
  assert text(browser, "#classes").split("\n") == ["Its 3 classes", *LABELS]
  assert browser.run("return document.title") == "tiny · temporal-jax"


def test_many_classes_are_searched(browser):
  names = [f"class {i}" for i in range(399)] + ["Playing_RockPaperScissors"]
  with running(None, settings=introduction(*names)) as server:
    browser.open(server.url)
    shown = (
      "return [...document.querySelectorAll('.names li')]"
      ".filter((x) => x.checkVisibility()).map((x) => x.textContent)"
    )
    assert browser.run(shown) == []
    assert text(browser, "#classes") == "Its 400 classes"
    browser.run("document.querySelector('summary').click()")
    assert browser.run(shown) == names
    height = "return document.querySelector('#introduction').clientHeight"
    assert browser.run(height) < 700
    browser.run("document.querySelector('[type=search]').focus()")
    browser.press(*"playing rock")
    assert browser.run(shown) == names[-1:]
    assert "1 of 400" in text(browser, ".search")


def test_classes_of_several_tasks_stand_apart(browser):
  settings = introduction("cut")
  settings["tasks"] = [
    {"name": "verb", "count": 2, "classes": ["cut", "stir"]},
    {"name": "noun", "count": 300, "classes": []},
  ]
  with running(None, settings=settings) as server:
    browser.open(server.url)
    assert text(browser, "#network") == ("tiny · 2 verb classes · 300 noun classes")
    lines = text(browser, "#classes").split("\n")
    assert list(filter(None, lines)) == [
      "Its 2 verb classes",
      "cut",
      "stir",
      "Its 300 noun classes have no names: answers are their numbers, from 0.",
    ]
    assert browser.run("return document.querySelector('#sample').hidden")


def test_the_sample_clip_is_tried_with_one_click(page):
  browser, server = page
  browser.open(server.url)
  assert "generated clip" in text(browser, "#sample")
  browser.run("document.querySelector('#try').click()")
  browser.wait("!document.querySelector('#result').hidden")
  assert server.service.sample.name in text(browser, "#about")
  assert "96 frames" in text(browser, "#about")
  browser.wait("document.querySelector('video').readyState >= 1")
  assert browser.run("return document.querySelector('video').duration") == 8
  assert browser.complaints() == []
