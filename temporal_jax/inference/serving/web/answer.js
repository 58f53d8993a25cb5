// The answer for a video.
let shown = "";  // The name of the video.
let plots = [];
let addresses = [];  // Of the video that is played, and of files to download.

function show(file, answer) {
  shown = file.name;
  settle();
  at("call").textContent = "Drop another video here";
  at("result").hidden = false;
  addresses.forEach((address) => URL.revokeObjectURL(address));
  addresses = [];
  play(file, answer);
  offer(file, answer.downloads);
  plots = [];
  for (const card of document.querySelectorAll(".bars-card")) card.remove();
  at("times").replaceChildren();
  if (answer.segments) at("times").append(segmentsCard(answer));
  for (const task of answer.tasks) {
    at("top").append(bars(task));
    at("times").append(overTime(task, answer));
  }
  strip(answer.strip);
  move(0);
  at("result").focus({preventScroll: true});
}

function play(file, answer) {
  at("player").hidden = false;
  at("top").classList.add("two");
  at("video").hidden = false;
  at("video").onerror = () => { at("video").hidden = true; };
  at("video").src = addressOf(file);
  const parts = [answer.file, `${answer.frames} frames`];
  if (answer.seconds !== null) parts.splice(1, 0, clock(answer.seconds, 1));
  at("about").replaceChildren(...words(parts.join(" · ")));
}
function addressOf(blob) {
  const address = URL.createObjectURL(blob);
  addresses.push(address);
  return address;
}

function offer(file, downloads) {
  const stem = file.name.replace(/(.)\.\w{1,5}$/, "$1");
  at("downloads").replaceChildren(
    ...downloads.map(({title, suffix, type, text}) => make("a",
      {class: "button quiet", download: stem + suffix,
        href: addressOf(new Blob([text], {type}))}, title)));
}

function bars(task) {
  const rows = task.predictions.map(({label, probability}) => {
    const inner = make("div");
    inner.style.width = 100 * probability + "%";
    return make("li", {}, make("span", {class: "label"}, ...words(label)),
      make("div", {class: "bar"}, inner),
      make("span", {class: "share"}, percent(probability)));
  });
  const name = task.name ? `Prediction: ${task.name}` : "Prediction";
  return make("section", {class: "card bars-card"},
    make("h2", {class: "soft"}, name),
    make("p", {class: "first"}, ...words(task.predictions[0].label)),
    make("ol", {class: "bars", "aria-label": "Likeliest classes"}, ...rows));
}

function overTime(task, answer) {
  const card = make("section", {class: "card plot"},
    make("h2", {}, "Over time" + (task.name ? `: ${task.name}` : "")));
  if (!task.timeline) {
    card.append(make("p", {class: "soft"}, "The video is a single frame."));
    return card;
  }
  const plot = new Plot(task.timeline, answer.seconds);
  plots.push(plot);
  card.append(make("p", {class: "soft"}, plot.words()), plot.svg, plot.slider,
    plot.legend, make("details", {}, make("summary", {}, "As a table"),
      make("div", {class: "scroll", tabindex: "0", role: "group",
        "aria-label": "Probabilities over time"}, numbers(task.timeline))));
  plot.watch();
  return card;
}

function numbers({labels, points}) {
  const head = ["Time", ...labels].map((name) =>
    make("th", {scope: "col"}, ...words(name)));
  const rows = points.map(({start, end, probabilities}) => make("tr", {},
    make("th", {scope: "row"}, `${clock(start, 1)} – ${clock(end, 1)}`),
    ...probabilities.map((value) => make("td", {}, percent(value)))));
  return make("table", {class: "numbers"},
    make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows));
}

function strip({about, pictures}) {
  at("strip-about").replaceChildren(...words(ended(about)));
  at("pictures").replaceChildren(...pictures.map(({time, image}) => {
    const button = make("button", {type: "button"},
      make("img", {src: image, alt: ""}), clock(time, 1));
    button.onclick = () => seek(time);
    return make("li", {}, button);
  }));
}

function move(time) {
  for (const plot of plots) plot.mark(time);
}
function seek(time) {
  if (Number.isFinite(at("video").duration)) at("video").currentTime = time;
  move(time);
}

