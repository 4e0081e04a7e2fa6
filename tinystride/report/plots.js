"use strict";

/* Draw the plots of the report as SVG: numbers come from #report-data, colours from the style sheet. */

const report = JSON.parse(document.getElementById("report-data").textContent);
const AXES = ["forward", "left", "up"];
const HUES = ["blue", "orange", "green", "purple", "sky", "muted"];
const FONT_PX = 12, MARGIN = { top: 28, right: 12, bottom: 40 };
const CHUNKS = 12;  // paths per series: points of different paths darken each other, points of one path do not
const NEAR_PX = 16;  // a pointer this close to a point shows its text

const label = (estimator) => report.labels[estimator] || estimator;
const minus = (text) => text.replace("-", "−");
const signed = (value, digits = 1) => {
  const size = Math.abs(value).toFixed(digits);
  return (value < 0 && Number(size) ? "−" : "+") + size;
};

function element(parent, tag, attributes = {}, text = "") {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text) node.textContent = text;
  return parent.appendChild(node);
}

/* ---- Axes ---- */

function extent(values, margin = 0) {
  let low = Infinity, high = -Infinity;
  for (const value of values) { low = Math.min(low, value); high = Math.max(high, value); }
  return [low - margin, high + margin];
}

function widened([low, high], share = 0.04) {
  const margin = share * (high - low) || 1;
  return [low - margin, high + margin];
}

/* Return round numbers within a range, about as many as wanted. */
function linearTicks([low, high], wanted) {
  const rough = (high - low) / wanted, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const ticks = [];
  for (let i = Math.ceil(low / step); i * step <= high + 1e-9; i += 1) ticks.push(Number((i * step).toPrecision(12)));
  return ticks;
}

function logTicks([low, high]) {
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1) {
    for (const digit of [1, 2, 5]) ticks.push(digit * 10 ** power);
  }
  return ticks.filter((tick) => tick >= low && tick <= high);
}

/* Return the map from values to pixels. */
function scale({ range, log }, from, to) {
  const place = log ? Math.log : (value) => value;
  const low = place(range[0]), high = place(range[1]);
  return (value) => from + ((place(value) - low) / (high - low)) * (to - from);
}

/* ---- One plot ----
   panel: the element to draw into; its content is replaced
   plot: { title, description, height, x, y, marks, legend, note }
   x, y: { label, range, log, names }; names: categories, from top to bottom
   marks: { kind: "points" | "line" | "threshold" | "band" | "whisker", … }, drawn in this order */

function draw(panel, { title, description, height = 300, x, y, marks, legend = [], note = "" }) {
  panel.replaceChildren();
  const width = Math.max(260, panel.clientWidth - 2 * parseFloat(getComputedStyle(panel).paddingLeft));
  const svg = element(panel, "svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": description });
  element(svg, "text", { class: "title", x: 0, y: FONT_PX + 2 }, title);
  if (note) element(svg, "text", { class: "note", x: width / 2, y: height / 2 }, note);
  if (!note) drawAxesAndMarks(panel, svg, width, height, x, y, marks);
  if (!legend.length) return;
  const list = panel.appendChild(Object.assign(document.createElement("ul"), { className: "legend" }));
  for (const [name, hue, shape] of legend) {
    const entry = list.appendChild(document.createElement("li"));
    entry.appendChild(Object.assign(document.createElement("span"), { className: `key ${shape || "dot"} ${hue}` }));
    entry.append(name);
  }
}

function drawAxesAndMarks(panel, svg, width, height, x, y, marks) {
  const yTicks = y.names ? y.names.map((_, i) => i) : linearTicks(y.range, Math.max(3, height / 60));
  const yTexts = y.names || yTicks.map((tick) => minus(String(tick)));
  const left = (y.label ? 26 : 8) + 6.8 * Math.max(...yTexts.map((text) => text.length));
  const right = width - MARGIN.right, bottom = height - MARGIN.bottom;
  const toX = scale(x, left, right), toY = scale(y, bottom, MARGIN.top);
  const xTicks = x.log ? logTicks(x.range) : linearTicks(x.range, Math.max(3, (right - left) / 70));
  for (const tick of xTicks) {
    element(svg, "line", { class: "grid", x1: toX(tick), x2: toX(tick), y1: MARGIN.top, y2: bottom });
    element(svg, "text", { class: "x tick", x: toX(tick), y: bottom + 15 }, minus(String(tick)));
  }
  yTicks.forEach((tick, i) => {
    if (!y.names) element(svg, "line", { class: tick === 0 ? "grid zero" : "grid", x1: left, x2: right, y1: toY(tick), y2: toY(tick) });
    element(svg, "text", { class: "y tick", x: left - 6, y: toY(tick) + 4 }, yTexts[i]);
  });
  if (y.names && x.range[0] < 0 && x.range[1] > 0) element(svg, "line", { class: "grid zero", x1: toX(0), x2: toX(0), y1: MARGIN.top, y2: bottom });
  element(svg, "text", { class: "x name", x: (left + right) / 2, y: height - 6 }, x.label);
  element(svg, "text", { class: "y name", transform: `translate(11 ${(MARGIN.top + bottom) / 2}) rotate(-90)` }, y.label);
  const id = `clip-${panel.id}`;
  element(element(svg, "clipPath", { id }), "rect", { x: left, y: MARGIN.top - 2, width: right - left, height: bottom - MARGIN.top + 4 });
  const inside = element(svg, "g", { "clip-path": `url(#${id})` });
  const box = { left, right, top: MARGIN.top, bottom };
  for (const mark of marks) MARKS[mark.kind](inside, mark, toX, toY, box);
  showNearest(panel, svg, marks.filter((mark) => mark.texts), toX, toY);
}

const at = (value) => value.toFixed(1);
const MARKS = {
  points(parent, { xs, ys, hue, size = 4, opacity = 0.5 }, toX, toY) {
    const group = element(parent, "g", { class: `points ${hue}`, "stroke-width": size, "stroke-opacity": opacity });
    const paths = Array.from({ length: Math.min(CHUNKS, xs.length) }, () => "");
    xs.forEach((value, i) => { paths[i % CHUNKS] += `M${at(toX(value))} ${at(toY(ys[i]))}h0`; });
    for (const d of paths) element(group, "path", { d });
  },
  line(parent, { xs, ys, hue, width = 1.6, dash = "" }, toX, toY) {
    const d = xs.map((value, i) => `${i ? "L" : "M"}${at(toX(value))} ${at(toY(ys[i]))}`).join("");
    element(parent, "path", { class: `line ${hue}`, d, "stroke-width": width, "stroke-dasharray": dash });
  },
  threshold(parent, { value, hue, dash = "", text = "" }, toX, toY, { left, right }) {
    element(parent, "line", { class: `line ${hue}`, x1: left, x2: right, y1: toY(value), y2: toY(value), "stroke-width": 1.6, "stroke-dasharray": dash });
    if (text) element(parent, "text", { class: "value", x: right - 2, y: toY(value) - 4 }, text);
  },
  band(parent, { from, to, hue }, toX, toY, { left, right }) {
    element(parent, "rect", { class: `band ${hue}`, x: left, width: right - left, y: toY(to), height: Math.max(0, toY(from) - toY(to)) });
  },
  whisker(parent, { x, y, dx = [0, 0], dy = [0, 0], hue, square }, toX, toY) {
    const group = element(parent, "g", { class: `whisker ${hue}` });
    const d = `M${at(toX(x - dx[0]))} ${at(toY(y))}H${at(toX(x + dx[1]))}M${at(toX(x))} ${at(toY(y - dy[0]))}V${at(toY(y + dy[1]))}`;
    element(group, "path", { class: "line", d, "stroke-width": 1.4 });
    element(group, "path", { class: square ? "square" : "dot", d: `M${at(toX(x))} ${at(toY(y))}h0`, "stroke-width": 8 });
  },
};

/* Show the text of the point nearest to the pointer. */
function showNearest(panel, svg, marks, toX, toY) {
  const points = marks.flatMap((mark) => mark.texts.map((text, i) => ({ text, x: toX(mark.xs ? mark.xs[i] : mark.x), y: toY(mark.ys ? mark.ys[i] : mark.y) })));
  if (!points.length) return;
  const tip = panel.appendChild(Object.assign(document.createElement("div"), { className: "tip", hidden: true }));
  svg.addEventListener("pointerleave", () => { tip.hidden = true; });
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect(), zoom = svg.viewBox.baseVal.width / box.width;
    const x = (event.clientX - box.left) * zoom, y = (event.clientY - box.top) * zoom;
    let nearest = null, best = NEAR_PX ** 2;
    for (const point of points) {
      const square = (point.x - x) ** 2 + (point.y - y) ** 2;
      if (square < best) { best = square; nearest = point; }
    }
    tip.hidden = nearest === null;
    if (nearest === null) return;
    tip.textContent = nearest.text;
    tip.style.left = `${Math.min(nearest.x / zoom + 18, panel.clientWidth - tip.offsetWidth - 4)}px`;
    tip.style.top = `${nearest.y / zoom + 18}px`;
  });
}

/* ---- Plots of the data sets ---- */

const heading = (set) => `${set.name}: ${set.kind === "agreement" ? "agreement with the integral" : "against " + set.reference}`;
const panelOf = (plot, name) => document.getElementById(`${plot}-${name}`);

/* Return the drawn strides of a set for which the estimator has a length. */
function estimated(set, estimator) {
  const values = set.estimates[estimator] || [];
  const rows = values.map((_, i) => i).filter((i) => values[i] !== null);
  const estimate = rows.map((i) => values[i]), reference = rows.map((i) => set.reference_cm[i]);
  const error = estimate.map((value, i) => value - reference[i]);
  const texts = rows.map((i, k) => `${set.id[i]}: ${label(estimator)} ${estimate[k].toFixed(1)} cm, reference ${reference[k].toFixed(1)} cm, ${set.speed_mps[i].toFixed(2)} m/s`);
  return { rows, estimate, reference, error, texts };
}

function drawReference(set, estimator, strides) {
  const { slope, intercept_cm } = set.metrics[estimator];
  const range = widened(extent([...strides.reference, ...strides.estimate])), ends = extent(strides.reference);
  const marks = [
    { kind: "line", xs: range, ys: range, hue: "muted", width: 1 },
    { kind: "points", xs: strides.reference, ys: strides.estimate, hue: "blue", texts: strides.texts },
  ];
  if (slope !== null) marks.push({ kind: "line", xs: ends, ys: ends.map((x) => intercept_cm + slope * x), hue: "orange", width: 2 });
  draw(panelOf("reference", set.name), {
    title: heading(set), marks,
    description: `${label(estimator)} against reference on ${set.name}: estimate = ${intercept_cm} cm + ${slope} × reference`,
    x: { label: "reference, cm", range }, y: { label: `${label(estimator)}, cm`, range },
  });
}

function drawBlandAltman(set, estimator, strides) {
  const metrics = set.metrics[estimator], mean = strides.reference.map((value, i) => (value + strides.estimate[i]) / 2);
  const marks = [];
  for (const name of ["bias_cm", "loa_low_cm", "loa_high_cm"]) {
    const interval = metrics[`${name}_ci95`];
    if (metrics[name] !== null && interval) marks.push({ kind: "band", from: interval[0], to: interval[1], hue: "orange" });
  }
  marks.push({ kind: "points", xs: mean, ys: strides.error, hue: "blue", texts: strides.texts });
  for (const name of ["bias_cm", "loa_low_cm", "loa_high_cm"]) {
    if (metrics[name] !== null) marks.push({ kind: "threshold", value: metrics[name], hue: "orange", dash: name === "bias_cm" ? "" : "6 4", text: signed(metrics[name]) });
  }
  draw(panelOf("bland-altman", set.name), {
    title: heading(set), marks,
    description: `Bland-Altman plot of ${label(estimator)} on ${set.name}: bias ${metrics.bias_cm} cm, limits of agreement ${metrics.loa_low_cm} to ${metrics.loa_high_cm} cm`,
    x: { label: "mean of estimate and reference, cm", range: widened(extent(mean)) },
    y: { label: "estimate − reference, cm", range: widened(extent([...strides.error, 0])) },
  });
}

/* Draw the people of all sets in one plot, a row each. */
function drawPeople(estimator) {
  const people = report.sets.flatMap((set) => Object.entries((set.metrics[estimator] || { per_subject: {} }).per_subject).map(([name, metrics]) => [`${set.name} ${name}`, metrics]));
  const marks = people.map(([name, [mean, sd, strides]], i) => ({
    kind: "whisker", x: mean, y: i, dx: [sd || 0, sd || 0], hue: "blue",
    texts: [`${name}: ${signed(mean, 2)} ± ${(sd || 0).toFixed(2)} cm, ${strides} strides`],
  }));
  const reach = people.flatMap(([, [mean, sd]]) => [mean - (sd || 0), mean + (sd || 0)]);
  draw(panelOf("person", "all"), {
    title: `Error of each person, ${label(estimator)}`, marks, height: MARGIN.top + MARGIN.bottom + 22 + 18 * people.length,
    description: `Error of each person, ${label(estimator)}: mean and SD of single strides`,
    x: { label: "estimate − reference, cm", range: widened(extent([...reach, 0])) },
    y: { label: "", range: [people.length - 0.2, -0.8], names: people.map(([name]) => name) },
    note: people.length ? "" : "no estimate",
  });
}

function drawSpeed(set, estimator, strides) {
  const speed = strides.rows.map((i) => set.speed_mps[i]), several = set.conditions.length > 1;
  const marks = [], means = [], legend = [];
  set.conditions.forEach((condition, number) => {
    const own = strides.rows.map((row, i) => (set.condition[row] === number ? i : -1)).filter((i) => i >= 0);
    if (!own.length) return;
    const hue = HUES[number % HUES.length], [mean, sd, count] = set.metrics[estimator].per_condition[condition];
    marks.push({ kind: "points", xs: own.map((i) => speed[i]), ys: own.map((i) => strides.error[i]), hue, texts: own.map((i) => strides.texts[i]) });
    if (!several) return;
    legend.push([condition, hue]);
    means.push({
      kind: "whisker", x: own.reduce((sum, i) => sum + speed[i], 0) / own.length, y: mean, dy: [sd || 0, sd || 0], hue: "ink", square: true,
      texts: [`${condition}: ${signed(mean, 2)} ± ${(sd || 0).toFixed(2)} cm, ${count} strides`],
    });
  });
  draw(panelOf("speed", set.name), {
    title: heading(set), marks: [...marks, ...means], legend,
    description: `Error over walking speed of ${label(estimator)} on ${set.name}`,
    x: { label: "speed, m/s", range: widened(extent(speed)) },
    y: { label: "estimate − reference, cm", range: widened(extent([...strides.error, 0])) },
  });
}

const OF_SETS = { reference: drawReference, "bland-altman": drawBlandAltman, speed: drawSpeed };

function drawSets() {
  const estimator = document.getElementById("estimator").value;
  for (const set of report.sets) {
    const strides = estimated(set, estimator), evaluated = estimator in set.metrics;
    for (const [plot, drawPlot] of Object.entries(OF_SETS)) {
      if (evaluated && strides.rows.length) { drawPlot(set, estimator, strides); continue; }
      const circular = set.kind === "agreement" && estimator === "strapdown";
      draw(panelOf(plot, set.name), { title: heading(set), description: `${set.name}: no estimate`, height: 200, note: circular ? "the reference itself" : "no estimate" });
    }
  }
  drawPeople(estimator);
}

/* ---- Error against flash ---- */

function drawFlash() {
  const names = [...new Set(report.points.map((point) => point.series))], panel = panelOf("flash", "all");
  // Series with equal flash stand side by side.
  const beside = (point) => 1.03 ** (names.indexOf(point.series) - (names.length - 1) / 2);
  const marks = report.points.map((point) => {
    const { rmse_cm, flash_bytes, interval } = point, kb = flash_bytes / 1000;
    return {
      kind: "whisker", x: kb * (point.published ? 1 : beside(point)), y: rmse_cm, dy: interval ? [rmse_cm - interval[0], interval[1] - rmse_cm] : [0, 0],
      hue: HUES[names.indexOf(point.series) % HUES.length], square: point.published,
      texts: [`${point.series}, ${point.name}: ${kb.toFixed(1)} kB, RMSE ${rmse_cm.toFixed(2)} cm`],
    };
  });
  const kilobytes = extent(report.points.map((point) => point.flash_bytes / 1000));
  const highest = Math.max(...report.points.map((point) => (point.interval ? point.interval[1] : point.rmse_cm)));
  draw(panel, {
    title: "RMSE over flash of the whole library", marks, height: 340, description: "Error against flash of the whole library",
    legend: names.map((name, i) => [name, HUES[i % HUES.length], report.points.some((point) => point.series === name && point.published) ? "box" : "dot"]),
    x: { label: "flash of the whole library, kB", range: [kilobytes[0] / 1.6, kilobytes[1] * 1.6], log: true },
    y: { label: "RMSE, cm", range: [0, 1.08 * highest] },
  });
}

/* ---- One stride at a time ---- */

const withWaveforms = report.sets.filter((set) => set.waveforms.length);

function drawWaveform() {
  const set = withWaveforms[document.getElementById("wave-set").value], slider = document.getElementById("wave-stride");
  const wave = set.waveforms[slider.value], last = wave.forward_cm.length - 1;
  const time = wave.forward_cm.map((_, i) => (i * wave.duration_s) / last), axes = AXES.map((name, i) => [name, HUES[i], "bar"]);
  const three = (channels, more) => channels.map((ys, i) => ({ kind: "line", xs: time, ys, hue: HUES[i], ...more }));
  const panel = (name, title, unit, marks) => draw(panelOf("wave", name), {
    title, marks, legend: axes, height: 260, description: `${title} of ${wave.id}`,
    x: { label: "time, s", range: [0, wave.duration_s] }, y: { label: unit, range: widened(extent(marks.flatMap((mark) => mark.ys))) },
  });
  panel("gyroscope", "Angular rate", "rad/s", three(wave.gyr_radps));
  panel("accelerometer", "Specific force", "m/s²", three(wave.acc_mps2));
  panel("velocity", "Velocity (dotted: before drift is removed)", "m/s", [...three(wave.velocity_mps), ...three(wave.drifting_mps, { dash: "1 3", width: 1.2 })]);
  const lengths = [["reference", wave.reference, "ink"], ["int8 network", wave.int8, "blue"], ["integral", wave.strapdown, "orange"]];
  const height = widened(extent(wave.height_cm), 0.15), ahead = widened(extent([...wave.forward_cm, ...lengths.map((each) => each[1])]));
  draw(panelOf("wave", "path"), {
    title: "Path of the foot, from the side", height: 260, description: `Path of the foot in ${wave.id}`,
    marks: [
      { kind: "line", xs: wave.forward_cm, ys: wave.height_cm, hue: "green", width: 2.4 },
      ...lengths.map(([, value, hue]) => ({ kind: "line", xs: [value, value], ys: height, hue, dash: "6 4", width: 1.4 })),
    ],
    legend: [["path of the sensor", "green", "bar"], ...lengths.map(([name, value, hue]) => [`${name} ${value.toFixed(1)} cm`, hue, "bar"])],
    x: { label: "ahead, cm", range: ahead }, y: { label: "height, cm", range: height },
  });
  const text = `${wave.id}: int8 network ${signed(wave.int8 - wave.reference)} cm, integral ${signed(wave.strapdown - wave.reference)} cm, reference ${wave.reference.toFixed(1)} cm (${set.reference})`;
  document.getElementById("wave-name").textContent = text;
  slider.setAttribute("aria-valuetext", text);
}

function chooseSet() {
  const slider = document.getElementById("wave-stride");
  slider.max = withWaveforms[document.getElementById("wave-set").value].waveforms.length - 1;
  slider.value = Math.floor(slider.max / 2);
  drawWaveform();
}

/* ---- The page ---- */

/* Make an empty panel. All panels are made before the first plot, because each one narrows the others. */
function place(plot, name) {
  const panel = Object.assign(document.createElement("div"), { className: "panel", id: `${plot}-${name}` });
  document.querySelector(`[data-plot="${plot}"]`).append(panel);
}

function fill(id, names, values) {
  const select = document.getElementById(id);
  names.forEach((name, i) => select.add(new Option(name, values[i])));
  return select;
}

function drawAll() {
  drawSets();
  if (report.points.length) drawFlash();
  if (withWaveforms.length) drawWaveform();
}

for (const plot of Object.keys(OF_SETS)) report.sets.forEach((set) => place(plot, set.name));
place("person", "all");
if (report.points.length) place("flash", "all");
if (withWaveforms.length) ["gyroscope", "accelerometer", "velocity", "path"].forEach((name) => place("wave", name));

const estimators = [...new Set(report.sets.flatMap((set) => Object.keys(set.estimates)))];
const select = fill("estimator", estimators.map(label), estimators);
select.value = report.default;
select.addEventListener("change", drawSets);
fill("wave-set", withWaveforms.map((set) => set.name), withWaveforms.map((_, i) => i)).addEventListener("change", chooseSet);
document.getElementById("wave-stride").addEventListener("input", drawWaveform);
let waiting, drawnWidth = innerWidth;
addEventListener("resize", () => {
  clearTimeout(waiting);
  if (innerWidth !== drawnWidth) waiting = setTimeout(() => { drawnWidth = innerWidth; drawAll(); }, 150);
});
// Closed details are not printed.
const closed = [...document.querySelectorAll("details:not([open])")];
addEventListener("beforeprint", () => closed.forEach((each) => { each.open = true; }));
addEventListener("afterprint", () => closed.forEach((each) => { each.open = false; }));
if (withWaveforms.length) chooseSet();
drawAll();
document.documentElement.dataset.drawn = "";
