// Probabilities over time: lines, and a slider that reads them.
const LEFT = 46, RIGHT = 14, TOP = 8, BOTTOM = 26;

class Plot {
  constructor({labels, points}, seconds) {
    this.labels = labels;
    this.points = points;
    this.seconds = Math.max(seconds || 0, points.at(-1).end);
    this.svg = draw("svg", {role: "img", "aria-label":
      "Probabilities over time; the table below holds the numbers."});
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
    this.svg.onpointerdown = this.svg.onpointermove = (event) => {
      if (event.type === "pointerdown" || event.buttons) {
        seek(this.time(event.clientX));
      } else move(this.time(event.clientX));
    };
  }
  words() {
    const [first, second] = this.points;
    const length = (first.end - first.start).toFixed(1);
    const step = second ? (second.start - first.start).toFixed(1) : null;
    return `Windows of ${length} s` + (step ? `, one every ${step} s.` : ".");
  }
  watch() {
    new ResizeObserver(() => this.render()).observe(this.svg);
  }
  x(time) {
    return LEFT + (this.width - LEFT - RIGHT) * time / this.seconds;
  }
  y(value) {
    return TOP + (this.height - TOP - BOTTOM) * (1 - value);
  }
  time(clientX) {
    const inside = clientX - this.svg.getBoundingClientRect().left - LEFT;
    const share = inside / (this.width - LEFT - RIGHT);
    return this.seconds * Math.min(1, Math.max(0, share));
  }
  render() {
    const {width, height} = this.svg.getBoundingClientRect();
    if (!width) return;
    Object.assign(this, {width, height});
    this.svg.replaceChildren(...this.axes(), ...this.lines());
    this.cursor = draw("line", {class: "cursor", y1: TOP,
      y2: this.y(0), x1: LEFT, x2: LEFT});
    this.svg.append(this.cursor);
    // The slider's thumb, 16 pixels wide, goes from the first window's middle
    // to the last one's.
    const [first, last] = [this.points[0], this.points.at(-1)].map(
      ({start, end}) => this.x((start + end) / 2));
    this.slider.style.marginLeft = first - 8 + "px";
    this.slider.style.width = last - first + 16 + "px";
    this.mark();
  }
  axes() {
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
    const most = (this.width - LEFT - RIGHT) / 70;
    const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800];
    const step = steps.find((s) => this.seconds / s <= most) || 3600;
    for (let i = 0; i * step <= this.seconds + 1e-6; i += 1) {
      const x = this.x(i * step);
      parts.push(
        draw("line", {class: "base", x1: x, x2: x, y1: this.y(0),
          y2: this.y(0) + 5}),
        draw("text", {x, y: this.height - 5, "text-anchor": "middle"},
          clock(i * step, step < 1 ? 1 : 0)));
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
  mark(time = this.now || 0) {
    this.now = time;
    const index = this.nearest(time);
    const {start, end, probabilities} = this.points[index];
    this.slider.value = index;
    this.slider.setAttribute("aria-valuetext",
      `${clock(start, 1)} to ${clock(end, 1)}: ` + this.labels.map((label, i) =>
        `${label} ${percent(probabilities[i])}`).join(", "));
    this.values.forEach((element, i) => {
      element.textContent = percent(probabilities[i]);
    });
    if (!this.cursor) return;
    const x = this.x(Math.min(time, this.seconds));
    this.cursor.setAttribute("x1", x);
    this.cursor.setAttribute("x2", x);
  }
}
