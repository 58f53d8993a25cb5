import pytest

from tests.support.page_content import (
  create_answer,
  introduction,
  look_at,
)
from tests.support.page_server import running

LONG = [
  "Pretending to take something out of something",
  "passing American football (not in game)",
  "exercising_with_an_exercise_ball_and_more",
  "catching/throwing-softball/outdoors-or-in",
  "PlayingRockPaperScissorsWithAFriendOutdoors",
]


def _answer_in_long_words(path):
  return create_answer(20, 2.0, LONG)


# The lines of every word of every place that shows names.
_LINES = """
const words = [];
const places = ".label, .first, .names li, #strip-about, .numbers thead th, " +
  "#about, #problem:not([hidden])";
for (const place of document.querySelectorAll(places)) {
  const nodes = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
  for (let node = nodes.nextNode(); node; node = nodes.nextNode()) {
    for (const {0: word, index} of node.data.matchAll(/[^\\s\\/-]+/g)) {
      const range = document.createRange();
      range.setStart(node, index);
      range.setEnd(node, index + word.length);
      const tops = new Set([...range.getClientRects()].map(
        ({top}) => Math.round(top)));
      words.push([word, tops.size]);
    }
  }
}
return words;
"""


@pytest.mark.parametrize("width", [320, 375, 760, 1280])
def test_names_break_between_words(browser, video, tmp_path, width):
  settings = introduction(*LONG)
  with running(_answer_in_long_words, settings=settings) as server:
    browser.resize(width, 800)
    browser.open(server.url)
    long_name = tmp_path / "a_video_with_a_name_that_is_long_all_the_same.mp4"
    long_name.write_bytes(video.read_bytes())
    browser.choose("#file", long_name)
    browser.wait("document.querySelector('.cursor')")
    browser.run("document.querySelector('details').open = true")
    lines = browser.run(_LINES)
    assert {word for word, _ in lines} >= {
      "Pretending",
      "exercise_",
      "Scissors",
    }
    assert [word for word, count in lines if count != 1] == []
    page_width = "return document.documentElement.scrollWidth - innerWidth"
    assert browser.run(page_width) <= 0
    browser.resize(1200, 900)


def test_a_word_longer_than_the_line_breaks(browser, video):
  def answer(path):
    return create_answer(20, 2.0, ["o" * 300, "b", "c"])

  with running(answer, settings=introduction("o" * 300)) as server:
    browser.resize(375, 800)
    browser.open(server.url)
    browser.choose("#file", video)
    browser.wait("document.querySelector('.cursor')")
    page_width = "return document.documentElement.scrollWidth - innerWidth"
    assert browser.run(page_width) <= 0
    browser.resize(1200, 900)


_OUTLINED = """
const outlined = (element) => {
  const {outlineStyle, outlineWidth} = getComputedStyle(element);
  return outlineStyle != "none" && parseFloat(outlineWidth) > 0;
};
const names = {"video": "video", "#file": "file", "#zone .button": "button",
  "#result": "result", "#downloads a": "download", "[type=range]": "slider",
  "summary": "details", "#pictures button": "picture"};
const name = (x) => names[Object.keys(names).find((at) => x.matches(at))] ||
  x.outerHTML.slice(0, 50);
return [name(document.activeElement),
  [...document.querySelectorAll("*")].filter(outlined).map(name)];
"""


def test_outlines_belong_to_the_control_that_has_the_focus(page, video):
  browser, server = page
  browser.open(server.url)
  browser.press(TAB)
  assert browser.run(_OUTLINED) == ["file", ["button"]]
  look_at(browser, video)
  assert browser.run(_OUTLINED) == ["result", []]
  visited = []
  while "picture" not in visited:
    browser.press(TAB)
    active, outlined = browser.run(_OUTLINED)
    # The video draws outlines around its own buttons.
    assert outlined == [active] or (active == "video" and not outlined)
    if active != "video" or not visited:
      visited.append(active)
    assert len(visited) < 9
  assert visited == [
    "video",
    "download",
    "download",
    "slider",
    "details",
    "picture",
  ]


TAB = "\ue004"


def test_a_narrow_page_does_not_scroll_sideways(page, video):
  browser, server = page
  browser.resize(500, 800)
  browser.open(server.url)
  browser.choose("#file", video)
  browser.wait("document.querySelector('.cursor')")
  page_width = "return document.documentElement.scrollWidth - innerWidth"
  assert browser.run(page_width) <= 0
  browser.resize(1200, 900)
