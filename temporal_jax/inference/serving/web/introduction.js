// Shown before there is a video: the network, its classes, a clip to try.
const MANY = 24;  // Classes that need a search.

function introduce() {
  const {name, model, facts = [], tasks = []} = settings;
  if (!model) return;
  const title = name || model;
  document.title = `${title} · temporal-jax`;
  const count = tasks.map((task) =>
    `${task.count.toLocaleString("en")} ${task.name} classes`.replace("  ", " "));
  at("network").replaceChildren(
    ...words([title, ...count].join(" · ")));
  at("name").replaceChildren(...words(title));
  at("facts").replaceChildren(...facts.flatMap(([subject, text]) => [
    make("dt", {}, subject), make("dd", {}, ...words(text))]));
  at("classes").replaceChildren(...tasks.map(classes));
  at("introduction").hidden = false;
}

function classes({name, count, classes}) {
  const title = `Its ${count.toLocaleString("en")} ${name} classes`
    .replace("  ", " ");
  if (!classes.length) {
    return make("p", {class: "soft"},
      `${title} have no names: answers are their numbers, from 0.`);
  }
  const items = classes.map((one) => make("li", {}, ...words(one)));
  const list = make("ul", {class: "names"}, ...items);
  if (count <= MANY) return make("div", {}, make("h3", {}, title), list);
  const box = make("input", {type: "search", placeholder: "Find a class",
    "aria-label": "Find a class", autocomplete: "off", spellcheck: "false"});
  const found = make("span", {class: "soft", role: "status"});
  const plain = classes.map((one) => simple(one));
  box.oninput = () => {
    const parts = simple(box.value).split(" ");
    let shown = 0;
    items.forEach((item, i) => {
      item.hidden = !parts.every((part) => plain[i].includes(part));
      shown += !item.hidden;
    });
    found.textContent = box.value.trim() ? `${shown} of ${count}` : "";
  };
  return make("details", {}, make("summary", {}, title),
    make("p", {class: "search"}, box, found),
    make("div", {class: "scroll", tabindex: "0", role: "group",
      "aria-label": title}, list));
}

// A name as it is searched for: "playing harmonica" finds Playing_Harmonica.
function simple(text) {
  return text.replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2").toLowerCase()
    .replace(/[\s_\-]+/g, " ").trim();
}
