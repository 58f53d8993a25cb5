// A file is taken from the button, the drop or the sample, sent, and answered.
// The last answer stays until there is another.
let request = null;  // While there is one.
let current = "";  // The name of the file that it is for.
let timer = null;

function choose(files) {
  if (!files.length) return;
  const names = files.length > 1 ?
    `${files[0].name} and ${files.length - 1} more` : files[0].name;
  if (request) {
    return fail(names, `not sent while ${current} is looked at`);
  }
  if (files.length > 1) return fail(names, "one video at a time, please");
  const [file] = files;
  if (!file.size) return fail(file.name, "the file is empty");
  if (file.size > settings.maxBytes) {
    return fail(file.name, `the file has ${megabytes(file.size)}; at most ` +
      `${megabytes(settings.maxBytes)} are taken`);
  }
  send(file);
}

function send(file) {
  const sending = start("POST", "/predict", file.name);
  sending.setRequestHeader("Content-Type", "application/octet-stream");
  sending.setRequestHeader("X-File-Name", encodeURIComponent(file.name));
  sending.upload.onprogress = ({loaded, total}) => {
    progress(`Sending ${file.name}`, loaded / total);
  };
  sending.upload.onload = () => progress(`Looking at ${file.name} …`, null);
  sending.onerror = async () => {
    // A folder, or a file that was changed or removed, cannot be sent either.
    const readable = await file.slice(0, 1).arrayBuffer().then(
      () => true, () => false);
    finish();
    fail(file.name, readable ? GONE :
      "the file cannot be read; is it a folder, or was it changed?");
  };
  sending.onload = () => {
    finish();
    const answer = parse(sending.responseText);
    if (sending.status === 200 && answer) show(file, answer);
    else fail(file.name, reason(sending.status, answer));
  };
  progress(`Sending ${file.name}`, 0);
  sending.send(file);
}

function trySample() {
  if (request) return;
  const {name} = settings.sample;
  const getting = start("GET", "/sample", name);
  getting.responseType = "blob";
  getting.onerror = () => {
    finish();
    fail(name, GONE);
  };
  getting.onload = async () => {
    const {status, response} = getting;
    finish();
    if (status === 200) choose([new File([response], name)]);
    else fail(name, reason(status, parse(await response.text())));
  };
  progress(`Getting ${name} …`, null);
  getting.send();
}

const GONE = "the server did not answer. Is it still running?";

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
function reason(status, answer) {
  if (answer && answer.error) return answer.error;
  return `the server answered ${status}, and nothing that can be read`;
}

// Opens a request for a file: one at a time, which can be cancelled.
function start(method, path, name) {
  request = new XMLHttpRequest();
  request.open(method, path);
  current = name;
  request.onabort = () => {
    finish();
    note(`${name}: cancelled.`);
  };
  at("problem").hidden = true;
  at("progress").hidden = false;
  const begun = Date.now();
  at("since").textContent = "";
  timer = setInterval(() => {
    at("since").textContent = clock((Date.now() - begun) / 1000);
  }, 1000);
  settle();
  return request;
}
function progress(text, value) {
  at("doing").textContent = text;
  if (value === null) at("done").removeAttribute("value");
  else at("done").value = value;
}
function finish() {
  clearInterval(timer);
  request = null;
  const away = at("progress").contains(document.activeElement) ||
    document.activeElement === document.body;
  at("progress").hidden = true;
  settle();
  if (away) at("file").focus({preventScroll: true});
}
function fail(name, why) {
  note(ended(`${name}: ${why}`), true);
}
function note(text, bad = false) {
  if (shown && !request) text += ` The answer below is still that for ${shown}.`;
  at("problem").replaceChildren(...words(text));
  at("problem").classList.toggle("bad", bad);
  at("problem").hidden = false;
  at("problem").scrollIntoView({block: "nearest"});
}
// The place for a video is large until there is something else to see.
function settle() {
  const busy = request !== null;
  at("zone").classList.toggle("compact", busy || shown !== "");
  at("zone").classList.toggle("busy", busy);
  at("file").disabled = busy;
  at("sample").hidden = !settings.sample || busy || shown !== "";
}

// Entry point.
const {maxSeconds, maxBytes, sample} = settings;
introduce();
if (sample) at("sample-about").textContent = sample.about;
at("note").textContent = `Up to ${megabytes(maxBytes)}` +
  (maxSeconds ? ` and ${clock(maxSeconds)} min` : "") +
  ". The file goes to this page's server only and is deleted after the answer.";
at("file").onchange = () => {
  const files = [...at("file").files];
  at("file").value = "";  // The same file may be chosen again.
  choose(files);
};
at("try").onclick = trySample;
at("cancel").onclick = () => request.abort();
at("video").ontimeupdate = () => move(at("video").currentTime);
settle();
let depth = 0;
for (const type of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(type, (event) => {
    event.preventDefault();
    depth += {dragenter: 1, dragleave: -1}[type] || 0;
    if (type === "drop") depth = 0;
    at("zone").classList.toggle("over", depth > 0);
    if (type !== "drop") return;
    const {files} = event.dataTransfer;
    if (files.length) choose(files);
    else note("What was dropped is no file.", true);
  });
}
