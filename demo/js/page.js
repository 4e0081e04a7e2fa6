// The page: it takes the recording and shows the result. The worker computes.

import { connectBluetooth, connectSerial } from "./connections.js";
import { Lengths, Plan } from "./drawing.js";
import { PacketStream, SampleStream } from "./packets.js";
import { parameters, resultCsv, summarise } from "./results.js";
import { short } from "./numbers.js";

const ROWS_AT_ONCE = 200;
const DRAW_MS = 3500, DRAW_MS_PER_STRIDE = 70;
const SAMPLE_NAME = "simulated_walk.csv";
const ANNOUNCED_STRIDES = 10;
const find = (id) => document.getElementById(id);
const LESS_MOTION = matchMedia("(prefers-reduced-motion: reduce)");

let worker = null;
let files = []; // {name, blob, foot: a select}
let result = null; // {recordings, rows, summary}
let drawing = 0; // number of the current animation
const plan = new Plan(find("plan"));
const lengths = new Lengths(find("lengths"));
const live = { connections: [], streams: new Map(), damaged: 0 };

function newWorker() {
  worker?.terminate();
  const source = new Blob([find("worker-source").textContent], { type: "text/javascript" });
  const address = URL.createObjectURL(source);
  worker = new Worker(address);
  URL.revokeObjectURL(address);
  worker.onmessage = ({ data }) => ANSWERS[data.type](data);
  worker.onerror = (event) => showError(`The page has a fault: ${event.message}`);
}

const ANSWERS = {
  progress({ step, share }) {
    find("progress-label").textContent = step;
    find("progress").value = share;
  },
  error({ message }) {
    showError(message);
  },
  done(data) {
    setState("done");
    show(data);
    const found = data.recordings.map(({ name, notes }) => `${name}: ${[...new Set(notes)].join("; ") || "nothing assumed"}`);
    find("found").textContent = [...new Set(found)].join(" | ");
    const time = data.seconds === undefined ? "" : ` ${grouped(data.samples)} samples in ${short(data.seconds, 2)} s.`;
    const simulated = find("save-sample").hidden ? "" : "Simulated sample: ";
    find("status").textContent = `${simulated}${headline()}${time}`;
    find("plan-title").focus({ preventScroll: true });
    find("result-status").scrollIntoView({ behavior: LESS_MOTION.matches ? "auto" : "smooth" });
    play();
  },
  live(data) {
    if (document.body.dataset.state !== "live") return;
    show(data);
    finishDrawing();
    if (result.rows.length % ANNOUNCED_STRIDES === 1) find("status").textContent = `Live. ${headline()}`;
  },
};

function setState(state) {
  document.body.dataset.state = state;
  const busy = state === "running";
  find("running").hidden = !busy;
  for (const id of ["sample", "bluetooth", "serial"]) find(id).disabled = busy;
  find("files").disabled = busy || state === "live";
  find("sample").disabled = busy || state === "live";
  find("again").disabled = busy || state === "live" || !files.length;
  find("stop").disabled = state !== "live";
  if (state !== "live") offerLive(busy);
}

function showError(message) {
  setState("error");
  find("status").textContent = "";
  find("error").textContent = message;
  find("error").scrollIntoView({ block: "nearest" });
  if (/under Options|sampling rate|choose/.test(message)) find("options").open = true;
  newWorker();
}

// Files

function choose(chosen) {
  if (!chosen.length) return;
  files = [...chosen].map((blob) => ({ name: blob.name, blob, foot: null }));
  const list = find("file-list");
  list.replaceChildren(
    ...files.map((file) => {
      const item = document.createElement("li");
      const label = document.createElement("label");
      file.foot = document.createElement("select");
      file.foot.append(new Option("find it", ""), new Option("left"), new Option("right"));
      file.foot.addEventListener("change", analyse);
      label.append("Foot", file.foot);
      item.append(`${file.name}, ${sizeOf(file.blob.size)}`, label);
      return item;
    }),
  );
  find("save-sample").hidden = true;
  analyse();
}

function sizeOf(bytes) {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function analyse() {
  find("error").textContent = find("status").textContent = find("found").textContent = "";
  let options;
  try {
    options = readOptions();
  } catch (error) {
    showError(error.message);
    return;
  }
  if (files.length > 2) {
    showError("These are more than two files; choose one for each foot, or use tinystride predict for folders");
    return;
  }
  drawing++;
  setState("running");
  find("progress").value = 0;
  find("status").textContent = "Reading the recording.";
  newWorker();
  worker.postMessage({
    type: "read", files: files.map(({ name, blob, foot }) => ({ name, blob, foot: (foot && foot.value) || null })), options,
  });
}

/** The options of the form; null where the file decides. */
function readOptions() {
  const form = new FormData(find("options-form"));
  const text = (name) => form.get(name).trim() || null;
  const number = (name) => (text(name) === null ? null : Number(text(name)));
  const timeUnit = text("timeUnit");
  if (timeUnit && !/^(s|ms|us|ns|iso|ticks?:\d+(\.\d+)?(e\d+)?)$/.test(timeUnit)) {
    throw new Error(`Options: the time unit is '${timeUnit}'; it has to be one of s, ms, us, ns, iso, ticks:RATE`);
  }
  const columns = {};
  for (const entry of (text("columns") || "").split(",").map((part) => part.trim()).filter(Boolean)) {
    const match = /^((?:left_|right_)?(?:acc|gyr)_[xyz]|time)\s*=\s*(.+)$/i.exec(entry);
    if (!match) throw new Error(`Options: '${entry}' is not of the form acc_x=NAME`);
    columns[match[1].toLowerCase()] = match[2].trim();
  }
  for (const name of ["rateHz", "accScale", "gyrScale"]) {
    if (number(name) !== null && !(number(name) > 0)) throw new Error(`Options: '${text(name)}' has to be above 0`);
  }
  return {
    rateHz: number("rateHz"), timeUnit, timeColumn: text("timeColumn"), columns, accUnit: text("accUnit"),
    gyrUnit: text("gyrUnit"), accScale: number("accScale"), gyrScale: number("gyrScale"),
  };
}

async function sampleFile() {
  const packed = Uint8Array.from(atob(find("sample-source").textContent), (sign) => sign.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new File([await new Response(stream).blob()], SAMPLE_NAME);
}

// Results

function show(data) {
  result = { ...data, summary: summarise(data.recordings, data.rows) };
  find("results").hidden = false;
  find("found").textContent = "";
  order = [...data.rows].sort((a, b) => a.start_s - b.start_s);
  find("summary").replaceChildren(...summaryTable());
  find("strides").tBodies[0].replaceChildren();
  moreRows();
  prepareDrawings();
}

let order = [];

function headline() {
  const { rows } = result;
  const unflagged = rows.filter((row) => !row.flags).length;
  const length = parameters(rows).stride_length_cm;
  const steady = length ? ` Mean length of steady strides: ${length.mean.toFixed(1)} cm.` : "";
  return `${rows.length} strides, ${percent(unflagged, rows.length)} without flags.${steady}`;
}

function percent(part, whole) {
  return `${whole ? Math.round((100 * part) / whole) : 0} %`;
}

function grouped(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** Rows: parameters; columns: feet. */
function summaryTable() {
  const feet = result.summary.recordings;
  const value = (name, statistic, places) => (foot) => {
    const found = foot.parameters[name]?.[statistic];
    return found === undefined || found === null ? "–" : found.toFixed(places);
  };
  const lines = [
    ["Strides", ({ strides }) => String(strides.found)],
    ["Without flags", ({ strides }) => percent(strides.unflagged, strides.found)],
    ["Steady strides", ({ strides }) => String(strides.steady)],
    ["Mean length, cm", value("stride_length_cm", "mean", 1)],
    ["SD of length, cm", value("stride_length_cm", "sd", 1)],
    ["Cadence, steps/min", value("cadence_from_duration_spm", "mean", 1)],
    ["Speed, m/s", value("speed_from_duration_mps", "mean", 2)],
    ["Distance, m", (foot) => foot.distance_m.toFixed(1)],
  ];
  const head = document.createElement("thead");
  head.append(line("th", ["", ...feet.map(({ foot }) => foot)], "col"));
  const body = document.createElement("tbody");
  for (const [name, text] of lines) body.append(line("td", [name, ...feet.map(text)], "row"));
  return [head, body];
}

/** A table row. Its first cell is a heading (scope row), or all its cells are (scope col). */
function line(tag, cells, scope) {
  const row = document.createElement("tr");
  cells.forEach((text, i) => {
    const cell = document.createElement(scope === "row" && i === 0 ? "th" : tag);
    if (cell.tagName === "TH") cell.scope = scope;
    cell.textContent = text;
    row.append(cell);
  });
  return row;
}

function moreRows() {
  const body = find("strides").tBodies[0];
  const begin = body.rows.length;
  const rows = order.slice(begin, begin + ROWS_AT_ONCE).map((row, i) =>
    line("td", [
      String(begin + i + 1), row.foot, row.start_s.toFixed(2), row.duration_s.toFixed(2), row.stride_length_cm.toFixed(1),
      `${row.stride_length_low_cm.toFixed(1)} to ${row.stride_length_high_cm.toFixed(1)}`, row.flags || "–",
    ], "row"),
  );
  body.append(...rows);
  find("more").hidden = body.rows.length >= order.length;
}

// Drawings

function prepareDrawings() {
  if (!result || find("results").hidden) return;
  plan.set(order);
  lengths.set(order);
  const feet = [...new Set(order.map((row) => row.foot))].join(" and ");
  const drawn = { left: feet.includes("left"), right: feet.includes("right"), flagged: order.some((row) => row.flags) };
  for (const [name, shown] of Object.entries(drawn)) {
    for (const key of document.querySelectorAll(`.key.${name}`)) key.hidden = !shown;
  }
  find("apart").hidden = !(drawn.left && drawn.right);
  find("plan").setAttribute("aria-label", `Path of the ${feet} foot from above: ${headline()} The table lists all strides.`);
  find("lengths").setAttribute("aria-label", `Stride lengths over time with 95 % intervals. ${headline()} The table lists them.`);
}

/** Draw the walk stride by stride; at once for those who prefer less motion. */
function play() {
  const own = ++drawing;
  prepareDrawings();
  if (LESS_MOTION.matches) {
    finishDrawing();
    return;
  }
  const duration = Math.min(DRAW_MS, DRAW_MS_PER_STRIDE * order.length);
  const start = performance.now();
  const step = (now) => {
    if (own !== drawing) return;
    const share = Math.min(1, Math.max(0, (now - start) / duration));
    plan.show(Math.floor(share * order.length));
    lengths.show(Math.floor(share * order.length));
    if (share < 1) requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}

function finishDrawing() {
  drawing++;
  plan.show(order.length);
  lengths.show(order.length);
}

function redraw() {
  if (find("results").hidden) return;
  prepareDrawings();
  finishDrawing();
}

// Downloads

function save(name, type, content) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function resultName() {
  return `${result.recordings[0].name.replace(/(\.[a-z0-9]+)+$/i, "")}_strides`;
}

// Live

/** Disable the buttons that this browser has no interface for, and say so. */
function offerLive(busy) {
  const lacking = [
    ["bluetooth", "Web Bluetooth"],
    ["serial", "Web Serial"],
  ].filter(([name]) => !(name in navigator));
  for (const name of ["bluetooth", "serial"]) find(name).disabled = busy || !(name in navigator);
  const names = lacking.map(([, words]) => words).join(" and ");
  find("live-support").textContent = lacking.length
    ? `This browser offers no ${names}. Chrome and Edge do on computers; on Android they offer Bluetooth. The page then has to come from https, localhost or a file.`
    : "";
}

async function connect(open) {
  find("error").textContent = "";
  const stream = new PacketStream();
  let connection = null;
  const ended = (reason) => {
    live.connections = live.connections.filter((one) => one !== connection);
    if (reason) find("status").textContent = `Live: ${reason}; the strides so far stay. Press Stop to finish.`;
  };
  try {
    connection = await open((bytes) => takeBytes(stream, bytes), ended);
  } catch (error) {
    if (error.name !== "NotFoundError") showError(`No connection: ${error.message}; check the sensor and try again`);
    return;
  }
  live.connections.push(connection);
  if (document.body.dataset.state !== "live") {
    newWorker();
    live.streams.clear();
    drawing++;
    find("results").hidden = true;
    setState("live");
  }
  find("status").textContent = "Live. Waiting for packets; stand still for a second, then walk.";
}

function takeBytes(stream, bytes) {
  if (document.body.dataset.state !== "live") return;
  for (const packet of stream.push(bytes)) {
    const { foot } = packet;
    if (!live.streams.has(foot)) {
      live.streams.set(foot, new SampleStream(packet));
      worker.postMessage({ type: "live-start", foot, rateHz: packet.rateHz, name: `live_${foot}` });
      find("status").textContent = `Live. The ${foot} foot is connected at ${short(packet.rateHz)} Hz.`;
    }
    const samples = live.streams.get(foot);
    if (packet.rateHz !== samples.rateHz) {
      stopLive();
      showError(`The ${foot} sensor changed its rate from ${short(samples.rateHz)} to ${short(packet.rateHz)} Hz; connect again`);
      return;
    }
    const taken = samples.take(packet);
    if (taken) worker.postMessage({ type: "live-samples", foot, ...taken });
    if (samples.warning) {
      find("error").textContent = `The ${foot} sensor: ${samples.warning}`;
      samples.warning = "";
    }
  }
}

async function stopLive() {
  setState("running");
  find("progress-label").textContent = "Finishing";
  const open = live.connections;
  live.connections = [];
  worker.postMessage({ type: "live-stop" });
  await Promise.all(open.map((close) => close()));
}

// Events

find("files").addEventListener("change", ({ target }) => {
  choose(target.files);
  target.value = "";
});
find("files").addEventListener("focus", () => find("files-label").classList.add("focused"));
find("files").addEventListener("blur", () => find("files-label").classList.remove("focused"));
find("sample").addEventListener("click", async () => {
  choose([await sampleFile()]);
  find("save-sample").hidden = false;
});
for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    find("drop").classList.add("over");
  });
}
for (const name of ["dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    find("drop").classList.remove("over");
  });
}
document.addEventListener("drop", (event) => {
  if (!["running", "live"].includes(document.body.dataset.state)) choose(event.dataTransfer.files);
});
find("options-form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (files.length) analyse();
});
find("cancel").addEventListener("click", () => {
  newWorker();
  setState("idle");
  find("status").textContent = "Cancelled.";
});
find("more").addEventListener("click", moreRows);
find("replay").addEventListener("click", play);
find("save-csv").addEventListener("click", () => save(`${resultName()}.csv`, "text/csv", resultCsv(result.rows)));
find("save-json").addEventListener("click", () =>
  save(`${resultName()}.summary.json`, "application/json", JSON.stringify(result.summary, null, 2) + "\n"),
);
find("save-sample").addEventListener("click", async () => save(SAMPLE_NAME, "text/csv", await sampleFile()));
find("bluetooth").addEventListener("click", () => connect(connectBluetooth));
find("serial").addEventListener("click", () => connect((take, ended) => connectSerial(Number(find("baud").value), take, ended)));
find("stop").addEventListener("click", stopLive);
let resizing = 0, drawnWidth = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === drawnWidth) return; // a phone's address bar comes and goes
  drawnWidth = innerWidth;
  clearTimeout(resizing);
  resizing = setTimeout(redraw, 150);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
newWorker();
setState("idle");
