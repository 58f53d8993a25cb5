"use strict";
const settings = JSON.parse(document.getElementById("settings").textContent);
const at = (id) => document.getElementById(id);

// Elements: make("td", {class: "a"}, "text", child...); text is never markup.
function make(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}
function draw(name, attributes = {}, ...children) {
  const space = "http://www.w3.org/2000/svg";
  return fill(document.createElementNS(space, name), attributes, children);
}
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

// A name as text that may break between its words, also where these are joined
// by "_", "-", "/" or capitals: playing_harmonica, PlayingHarmonica.
function words(name) {
  const joints =
    /([_\-\/\\.,:;|+&)\]])(?=[^\s_\-\/\\.,:;|+&)\]])|(\p{Ll}{2})(?=\p{Lu})/gu;
  const parts = name.replace(joints, "$1$2\0").split("\0");
  return parts.flatMap((part, i) => i ? [make("wbr"), part] : [part]);
}

function percent(value) {
  return (100 * value).toFixed(value < 0.9995 ? 1 : 0) + " %";
}
function clock(seconds, digits = 0) {
  const scale = 10 ** digits;
  const whole = Math.round(seconds * scale) / scale;
  const minutes = Math.floor(whole / 60);
  const rest = (whole - 60 * minutes).toFixed(digits);
  return minutes + ":" + rest.padStart(digits ? 3 + digits : 2, "0");
}
function megabytes(bytes) {
  return (bytes / 1e6).toLocaleString("en", {maximumFractionDigits: 1}) + " MB";
}
function ended(text) {
  return /[.!?]$/.test(text) ? text : text + ".";
}
