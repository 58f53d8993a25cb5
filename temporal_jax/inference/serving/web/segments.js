// Segments of a video: a row of bars for each class, and a table of them.
const ROW = 30, BAR = 18, MOST_ROWS = 8, COLORS = 5;
const MARGIN = 18;  // Room for half of the first mark.

class Segments extends TimeAxis {
  constructor(segments, seconds) {
    super(seconds, "Segments over time; the table below holds the numbers.", MARGIN);
    this.rows = rowsOf(segments);
    this.svg.style.height = TOP + ROW * this.rows.length + BOTTOM + "px";
  }
  content() {
    return this.rows.flatMap(({name, segments}, i) => {
      const top = TOP + ROW * i + (ROW - BAR) / 2;
      const line = draw("line", {class: "grid", x1: this.left,
        x2: this.width - RIGHT, y1: TOP + ROW * (i + 1), y2: TOP + ROW * (i + 1)});
      // The surest is drawn over the others.
      return [line, ...segments.map((segment) => {
        const {label, start, end, score} = segment;
        const bar = draw("rect", {class: "segment", x: this.x(start), y: top,
          width: Math.max(this.x(end) - this.x(start), 2), height: BAR, rx: 3},
        draw("title", {}, `${label}, ${clock(start, 1)} to ${clock(end, 1)}, ` +
          percent(score)));
        bar.style.fill = `var(--line-${Math.min(i, COLORS - 1)})`;
        bar.style.fillOpacity = 0.25 + 0.75 * score;
        return bar;
      }).reverse()];
    });
  }
}

// The classes in the order of their best scores; the last row has all others.
function rowsOf(segments) {
  const byLabel = new Map();
  for (const segment of segments) {
    if (!byLabel.has(segment.label)) byLabel.set(segment.label, []);
    byLabel.get(segment.label).push(segment);
  }
  const rows = [...byLabel].map(([name, segments]) => ({name, segments}));
  if (rows.length <= MOST_ROWS) return rows;
  const others = rows.splice(MOST_ROWS - 1);
  return [...rows, {name: `${others.length} others`,
    segments: others.flatMap(({segments}) => segments)}];
}

function segmentsCard({segments, seconds}) {
  const card = make("section", {class: "card plot", id: "segments"},
    make("h2", {}, "Segments"));
  if (!segments.length) {
    card.append(make("p", {class: "soft"}, "No segment was found."));
    return card;
  }
  const plot = new Segments(segments, seconds);
  plots.push(plot);
  const names = plot.rows.map(({name}) => make("li", {},
    make("span", {class: "label", title: name}, ...words(name))));
  const count = segments.length === 1 ? "1 segment" :
    `${segments.length} segments`;
  card.append(make("p", {class: "soft"}, `${count}; the darker, the surer.`),
    make("div", {class: "segments"}, make("ul", {}, ...names), plot.svg),
    make("details", {}, make("summary", {}, "As a table"),
      make("div", {class: "scroll", tabindex: "0", role: "group",
        "aria-label": "Segments"}, segmentTable(segments))));
  plot.watch();
  return card;
}

function segmentTable(segments) {
  const head = [["Time", ""], ["Class", "name"], ["Score", ""]].map(
    ([name, kind]) => make("th", {scope: "col", class: kind}, name));
  const inTime = [...segments].sort((a, b) => a.start - b.start || a.end - b.end);
  const rows = inTime.map(({label, start, end, score}) => {
    const button = make("button", {type: "button", class: "link"},
      `${clock(start, 1)} – ${clock(end, 1)}`);
    button.onclick = () => seek(start);
    return make("tr", {}, make("th", {scope: "row"}, button),
      make("td", {class: "name"}, ...words(label)),
      make("td", {}, percent(score)));
  });
  return make("table", {class: "numbers"},
    make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows));
}
