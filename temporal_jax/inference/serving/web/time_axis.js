// Marks along the time of a video, and a line at the present.
const LEFT = 46, RIGHT = 24, TOP = 8, BOTTOM = 26;

class TimeAxis {
  constructor(seconds, about, left = LEFT) {
    this.seconds = seconds;
    this.left = left;
    this.svg = draw("svg", {role: "img", "aria-label": about});
    this.svg.onpointerdown = this.svg.onpointermove = (event) => {
      if (event.type === "pointerdown" || event.buttons) {
        seek(this.time(event.clientX));
      } else move(this.time(event.clientX));
    };
  }
  watch() {
    new ResizeObserver(() => this.render()).observe(this.svg);
  }
  x(time) {
    return this.left + (this.width - this.left - RIGHT) * time / this.seconds;
  }
  time(clientX) {
    const inside = clientX - this.svg.getBoundingClientRect().left - this.left;
    const share = inside / (this.width - this.left - RIGHT);
    return this.seconds * Math.min(1, Math.max(0, share));
  }
  render() {
    const {width, height} = this.svg.getBoundingClientRect();
    if (!width) return;
    Object.assign(this, {width, height, base: height - BOTTOM});
    this.cursor = draw("line", {class: "cursor", y1: TOP, y2: this.base});
    this.svg.replaceChildren(...this.content(), ...this.marks(), this.cursor);
    this.mark();
  }
  marks() {
    const parts = [];
    const most = (this.width - this.left - RIGHT) / 70;
    const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800];
    const step = steps.find((s) => this.seconds / s <= most) || 3600;
    for (let i = 0; i * step <= this.seconds + 1e-6; i += 1) {
      const x = this.x(i * step);
      parts.push(
        draw("line", {class: "base", x1: x, x2: x, y1: this.base,
          y2: this.base + 5}),
        draw("text", {x, y: this.height - 5, "text-anchor": "middle"},
          clock(i * step, step < 1 ? 1 : 0)));
    }
    return parts;
  }
  mark(time = this.now || 0) {
    this.now = time;
    if (!this.cursor) return;
    const x = this.x(Math.min(time, this.seconds));
    this.cursor.setAttribute("x1", x);
    this.cursor.setAttribute("x2", x);
  }
}
