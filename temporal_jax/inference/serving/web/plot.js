// Probabilities over time: lines, and a slider that reads them.
class Plot extends TimeAxis {
  constructor({labels, points}, seconds) {
    super(Math.max(seconds || 0, points.at(-1).end),
      "Probabilities over time; the table below holds the numbers.");
    this.labels = labels;
    this.points = points;
    this.slider = make("input", {type: "range", min: 0, max: points.length - 1,
      step: 1, value: 0, "aria-label": "Window of the video"});
    this.slider.oninput = () => {
      const {start, end} = this.points[this.slider.value];
      seek((start + end) / 2);
    };
    this.values = labels.map(() => make("b"));
    this.legend = make("ul", {class: "legend"}, ...labels.map((label, i) => {
      const color = make("i");
      color.style.background = `var(--line-${i})`;
      const name = make("span", {class: "label"}, ...words(label));
      return make("li", {}, color, name, this.values[i]);
    }));
  }
  words() {
    const [first, second] = this.points;
    const length = (first.end - first.start).toFixed(1);
    const step = second ? (second.start - first.start).toFixed(1) : null;
    return `Windows of ${length} s` + (step ? `, one every ${step} s.` : ".");
  }
  y(value) {
    return TOP + (this.base - TOP) * (1 - value);
  }
  render() {
    super.render();
    if (!this.width) return;
    // The slider's thumb, 16 pixels wide, goes from the first window's middle
    // to the last one's.
    const [first, last] = [this.points[0], this.points.at(-1)].map(
      ({start, end}) => this.x((start + end) / 2));
    this.slider.style.marginLeft = first - 8 + "px";
    this.slider.style.width = last - first + 16 + "px";
  }
  content() {
    return [...this.levels(), ...this.lines()];
  }
  levels() {
    const parts = [];
    for (const value of [0, 0.25, 0.5, 0.75, 1]) {
      const y = this.y(value);
      parts.push(draw("line", {class: value ? "grid" : "base", x1: LEFT,
        x2: this.width - RIGHT, y1: y, y2: y}));
      if ((4 * value) % 2 === 0) {
        parts.push(draw("text", {x: LEFT - 8, y: y + 4, "text-anchor": "end"},
          `${100 * value} %`));
      }
    }
    return parts;
  }
  lines() {
    const places = this.points.map(({start, end}) => this.x((start + end) / 2));
    return this.labels.map((_, i) => {
      const spots = this.points.map(({probabilities}, j) =>
        `${places[j].toFixed(1)} ${this.y(probabilities[i]).toFixed(1)}`);
      if (spots.length === 1) spots.push(spots[0]);  // A dot.
      const line = draw("path", {class: "series", d: "M" + spots.join("L")});
      line.style.stroke = `var(--line-${i})`;
      return line;
    }).reverse();  // The likeliest is drawn over the others.
  }
  nearest(time) {
    const away = this.points.map(({start, end}) =>
      Math.abs((start + end) / 2 - time));
    return away.indexOf(Math.min(...away));
  }
  mark(time) {
    super.mark(time);
    const index = this.nearest(this.now);
    const {start, end, probabilities} = this.points[index];
    this.slider.value = index;
    this.slider.setAttribute("aria-valuetext",
      `${clock(start, 1)} to ${clock(end, 1)}: ` + this.labels.map((label, i) =>
        `${label} ${percent(probabilities[i])}`).join(", "));
    this.values.forEach((element, i) => {
      element.textContent = percent(probabilities[i]);
    });
  }
}
