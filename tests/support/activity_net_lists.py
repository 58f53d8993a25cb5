"""A list of parts of videos, as ActivityNet and HACS publish it."""


def part(label, start, stop):
  return {"label": label, "segment": [start, stop]}


NET = {
  "version": "VERSION 1.3",
  "database": {
    "abc": {
      "subset": "training",
      "annotations": [part("Beer pong", 1.5, 4.0), part("Ballet", 4.0, 9.0)],
    },
    "def": {
      "subset": "validation",
      "annotations": [
        part("Ballet", 0.0, 3.0),
        part("Beer pong", 3.0, 5.0),
        part("Beer pong", 6.0, 8.0),
        part("Ballet", 9.0, 9.0),
      ],
    },
    "ghi": {"subset": "testing", "annotations": []},
  },
}
