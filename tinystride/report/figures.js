"use strict";

const report = JSON.parse(document.getElementById("report-data").textContent);
const AXES = ["forward", "left", "up"];
const dark = matchMedia("(prefers-color-scheme: dark)");
const printed = matchMedia("print");
const hovers = matchMedia("(hover: hover)");
const PRINTED_WIDTH = { wide: 680, half: 325 };  // of A4 less its margins, in CSS pixels
let printing = false;

const label = (estimator) => report.labels[estimator] || estimator;
const signed = (value, digits = 1) => {
  const size = Math.abs(value).toFixed(digits);
  return (value < 0 && Number(size) ? "−" : "+") + size;
};
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const series = ["blue", "orange", "green", "purple", "sky", "muted"];
const nth = (i) => colour(series[i % series.length]);
const faded = (hex, share) => hex + Math.round(255 * share).toString(16).padStart(2, "0");

/* Make a figure's panel. All of them come before the first drawing: each one more narrows the others. */
function place(figure, name) {
  const panels = document.querySelector(`[data-figure="${figure}"]`);
  const panel = panels.appendChild(Object.assign(document.createElement("div"), { className: "panel" }));
  const plot = panel.appendChild(Object.assign(document.createElement("div"), { id: `${figure}-${name}` }));
  plot.setAttribute("role", "img");
}

function draw(figure, name, description, traces, layout) {
  const plot = document.getElementById(`${figure}-${name}`), panels = plot.parentElement.parentElement;
  plot.setAttribute("aria-label", description);
  const axis = { gridcolor: colour("grid"), zerolinecolor: colour("rule"), linecolor: colour("rule"), automargin: true };
  const width = printing ? PRINTED_WIDTH[panels.classList.contains("wide") ? "wide" : "half"] : plot.parentElement.clientWidth - 20;
  const { xaxis, yaxis, title, ...rest } = layout;
  Plotly.react(plot, traces, {
    width, height: 340, margin: { l: 52, r: 14, t: title ? 40 : 16, b: 46 },
    font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: colour("ink") },
    title: { text: title || "", font: { size: 13 }, x: 0.01, xanchor: "left" },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    hoverlabel: { bgcolor: colour("panel"), font: { color: colour("ink") } },
    legend: { orientation: "h", y: -0.22, x: 0, xanchor: "left", yanchor: "top" },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("muted"), activecolor: colour("ink") },
    showlegend: false, separators: ".,",
    ...rest, xaxis: { ...axis, ...xaxis }, yaxis: { ...axis, ...yaxis },
  }, { displaylogo: false, displayModeBar: hovers.matches && !printing ? "hover" : false, responsive: false, scrollZoom: false,
       plotlyServerURL: "", modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "sendDataToCloud", "sendChartToCloud"] });
}

function drawn(set, estimator) {
  const values = set.estimates[estimator];
  const at = values.map((_, i) => i).filter((i) => values[i] !== null);
  return { at, pick: (column) => at.map((i) => column[i]), estimate: at.map((i) => values[i]),
    reference: at.map((i) => set.reference_cm[i]), error: at.map((i) => values[i] - set.reference_cm[i]) };
}

const dots = (x, y, more) => ({ x, y, mode: "markers", type: "scatter", ...more });
const line = (x, y, name, hue, more) => ({ x, y, name, mode: "lines", type: "scatter", line: { color: hue, width: 1.6, ...more }, hoverinfo: more && more.hover });
const heading = (set) => `<b>${set.name}</b>  ${set.kind === "agreement" ? "agreement with the integral" : "against " + set.reference}`;
const small = () => ({ size: 4, color: colour("blue"), opacity: 0.4 });
const told = (set, some) => some.at.map((i) => `${set.id[i]}<br>reference ${set.reference_cm[i].toFixed(1)} cm`);
const absent = (set, estimator) => !(set.estimates[estimator] || []).some((value) => value !== null);

function extent(values, margin) {
  let low = Infinity, high = -Infinity;
  for (const value of values) { low = Math.min(low, value); high = Math.max(high, value); }
  return [low - margin, high + margin];
}

function nothing(figure, set, estimator) {
  draw(figure, set.name, `${set.name}: no estimate`, [], {
    title: heading(set), xaxis: { visible: false }, yaxis: { visible: false },
    annotations: [{ text: estimator in set.estimates ? "no estimate" : "the reference itself", showarrow: false, x: 0.5, y: 0.5, xref: "paper", yref: "paper" }],
  });
}

function drawReference(set, estimator) {
  const some = drawn(set, estimator), { slope, intercept_cm } = set.figures[estimator];
  const range = extent([...some.reference, ...some.estimate], 4);
  const ends = extent(some.reference, 0);
  const traces = [
    line(range, range, "equality", colour("muted"), { width: 1, hover: "skip" }),
    dots(some.reference, some.estimate, { marker: small(), text: told(set, some), hovertemplate: "%{text}<br>estimate %{y:.1f} cm<extra></extra>" }),
  ];
  if (slope !== null) traces.push(line(ends, ends.map((x) => intercept_cm + slope * x), "line", colour("orange"), { width: 2, hover: "skip" }));
  draw("reference", set.name, `${label(estimator)} against reference on ${set.name}: estimate = ${intercept_cm} cm + ${slope} × reference`, traces, {
    title: heading(set),
    xaxis: { title: { text: "reference, cm" }, range }, yaxis: { title: { text: `${label(estimator)}, cm` }, range },
  });
}

function drawBlandAltman(set, estimator) {
  const some = drawn(set, estimator), figures = set.figures[estimator];
  const mean = some.reference.map((value, i) => (value + some.estimate[i]) / 2);
  const range = extent(mean, 4), shapes = [], annotations = [];
  for (const name of ["bias_cm", "loa_low_cm", "loa_high_cm"]) {
    const value = figures[name], interval = figures[`${name}_ci95`];
    if (value === null) continue;
    shapes.push({ type: "line", x0: 0, x1: 1, xref: "paper", y0: value, y1: value, line: { color: colour("orange"), width: 1.6, dash: name === "bias_cm" ? "solid" : "dash" } });
    if (interval) shapes.push({ type: "rect", x0: 0, x1: 1, xref: "paper", y0: interval[0], y1: interval[1], fillcolor: faded(colour("orange"), 0.18), line: { width: 0 }, layer: "below" });
    annotations.push({ text: signed(value), x: 1, xref: "paper", xanchor: "right", y: value, yanchor: "bottom", showarrow: false, bgcolor: faded(colour("panel"), 0.75) });
  }
  draw("bland-altman", set.name, `Bland-Altman of ${label(estimator)} on ${set.name}: bias ${figures.bias_cm} cm, limits ${figures.loa_low_cm} to ${figures.loa_high_cm} cm`,
    [dots(mean, some.error, { marker: small(), text: told(set, some), hovertemplate: "%{text}<br>error %{y:.2f} cm<extra></extra>" })], {
      title: heading(set), shapes, annotations,
      xaxis: { title: { text: "mean of both, cm" }, range }, yaxis: { title: { text: "estimate − reference, cm" } },
    });
}

const whisker = (groups, hue) => ({ marker: { color: hue, size: 8 }, error: { type: "data", array: groups.map((each) => each[1] || 0), color: hue, thickness: 1.4, width: 0 } });

function drawSubjects(set, estimator) {
  const people = Object.entries(set.figures[estimator].per_subject);
  const { marker, error } = whisker(people.map((each) => each[1]), colour("blue"));
  draw("subject", set.name, `Error of each person of ${set.name}, ${label(estimator)}`, [dots(people.map(([, each]) => each[0]), people.map(([name]) => name), {
    marker, error_x: error, customdata: people.map(([, each]) => [each[1] || 0, each[2]]),
    hovertemplate: "%{y}: %{x:.2f} ± %{customdata[0]:.2f} cm, %{customdata[1]} strides<extra></extra>",
  })], {
    title: heading(set), height: Math.max(200, 110 + 19 * people.length),
    xaxis: { title: { text: "estimate − reference, cm" }, zeroline: true },
    yaxis: { type: "category", autorange: "reversed", tickmode: "linear", ticklabelstandoff: 6 },
  });
}

function drawSpeed(set, estimator) {
  const some = drawn(set, estimator), conditions = some.pick(set.condition), speed = some.pick(set.speed_mps), text = told(set, some);
  const traces = [], means = [];
  set.conditions.forEach((condition, number) => {
    const own = conditions.map((each, i) => (each === number ? i : -1)).filter((i) => i >= 0);
    if (!own.length) return;
    traces.push(dots(own.map((i) => speed[i]), own.map((i) => some.error[i]), {
      name: condition, legendgroup: condition, marker: { ...small(), color: nth(number) }, text: own.map((i) => text[i]),
      hovertemplate: "%{text}<br>%{x:.2f} m/s, error %{y:.2f} cm<extra></extra>",
    }));
    const group = set.figures[estimator].per_condition[condition];
    const { marker, error } = whisker([group], colour("ink"));
    if (set.conditions.length > 1) means.push(dots([own.reduce((sum, i) => sum + speed[i], 0) / own.length], [group[0]], {
      legendgroup: condition, showlegend: false, marker: { ...marker, symbol: "square", line: { color: colour("panel"), width: 1 } }, error_y: error,
      hovertemplate: `${condition}: ${signed(group[0], 2)} ± ${(group[1] || 0).toFixed(2)} cm, ${group[2]} strides<extra></extra>`,
    }));
  });
  draw("speed", set.name, `Error over speed of ${label(estimator)} on ${set.name}`, [...traces, ...means], {
    title: heading(set), showlegend: set.conditions.length > 1, height: 370,
    xaxis: { title: { text: "speed, m/s", standoff: 6 } }, yaxis: { title: { text: "estimate − reference, cm" } },
  });
}

function drawFlash() {
  const names = [...new Set(report.points.map((point) => point.series))];
  const traces = names.map((name, i) => {
    const own = report.points.filter((point) => point.series === name);
    const up = own.map((point) => (point.interval ? point.interval[1] - point.rmse_cm : 0));
    const down = own.map((point) => (point.interval ? point.rmse_cm - point.interval[0] : 0));
    return dots(own.map((point) => point.flash_bytes / 1000), own.map((point) => point.rmse_cm), {
      name, text: own.map((point) => point.name), marker: { size: 10, color: nth(i), symbol: i % 2 ? "diamond" : "circle" },
      error_y: { type: "data", array: up, arrayminus: down, symmetric: false, thickness: 1.4, width: 4, color: nth(i) },
      hovertemplate: "%{text}<br>%{x:.1f} kB, RMSE %{y:.2f} cm<extra></extra>",
    });
  });
  const ticks = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
  draw("flash", "all", "Error against flash", traces, {
    showlegend: true, height: 400,
    xaxis: { type: "log", title: { text: "flash, kB", standoff: 6 }, tickvals: ticks, ticktext: ticks.map(String) }, yaxis: { title: { text: "RMSE, cm" }, rangemode: "tozero" },
  });
}

const OF_SETS = [["reference", drawReference], ["bland-altman", drawBlandAltman], ["subject", drawSubjects], ["speed", drawSpeed]];

function drawFigures() {
  const estimator = document.getElementById("estimator").value;
  for (const set of report.sets) {
    for (const [name, figure] of OF_SETS) {
      if (absent(set, estimator)) nothing(name, set, estimator); else figure(set, estimator);
    }
  }
  if (report.points.length) drawFlash();
}

const fromSets = report.sets.filter((set) => set.waveforms.length);

function drawWaveform() {
  const set = fromSets[document.getElementById("wave-set").value];
  const slider = document.getElementById("wave-stride");
  const wave = set.waveforms[slider.value];
  const time = wave.forward_cm.map((_, i) => (i * wave.duration_s) / (wave.forward_cm.length - 1));
  const three = (channels, more) => channels.map((channel, i) => ({ ...line(time, channel, AXES[i], nth(i), more), hovertemplate: `%{y:.2f}<extra>${AXES[i]}</extra>` }));
  const panel = (name, title, traces) => draw("wave", name, `${title} of ${wave.id}`, traces, {
    title: `<b>${title}</b>`, showlegend: true, hovermode: "x", height: 300, xaxis: { title: { text: "time, s", standoff: 6 } }, yaxis: {},
  });
  panel("gyroscope", "Angular rate, rad/s", three(wave.gyr_radps));
  panel("accelerometer", "Specific force, m/s²", three(wave.acc_mps2));
  const drifting = three(wave.drifting_mps, { dash: "dot", width: 1 }).map((trace) => ({ ...trace, showlegend: false }));
  panel("velocity", "Velocity, m/s (dotted: with drift)", [...three(wave.velocity_mps), ...drifting]);
  const ends = [["reference", wave.reference, "ink"], ["int8 network", wave.int8, "blue"], ["integral", wave.strapdown, "orange"]];
  draw("wave", "path", `Path of the foot in ${wave.id}`, [
    { ...line(wave.forward_cm, wave.height_cm, "path of the sensor", colour("green"), { width: 2.4 }), hovertemplate: "%{x:.1f} cm ahead, %{y:.1f} cm up<extra></extra>" },
    ...ends.map(([name, at, hue]) => ({ ...line([at, at], extent(wave.height_cm, 2), `${name} ${at.toFixed(1)} cm`, colour(hue), { dash: "dash", width: 1.4 }), hovertemplate: `${name}: ${at.toFixed(1)} cm<extra></extra>` })),
  ], { title: "<b>Path: height over distance, cm</b>", showlegend: true, height: 300, xaxis: { title: { text: "ahead, cm", standoff: 6 } }, yaxis: {} });
  const text = `${wave.id}: int8 network ${signed(wave.int8 - wave.reference)} cm, integral ${signed(wave.strapdown - wave.reference)} cm, reference ${wave.reference.toFixed(1)} cm (${set.reference})`;
  document.getElementById("wave-name").textContent = text;
  slider.setAttribute("aria-valuetext", text);
}

function drawAll() {
  drawFigures();
  if (fromSets.length) drawWaveform();
}

function choices(id, names, values) {
  const select = document.getElementById(id);
  names.forEach((name, i) => select.add(new Option(name, values[i])));
  return select;
}

const estimators = [...new Set(report.sets.flatMap((set) => Object.keys(set.estimates)))];
choices("estimator", estimators.map(label), estimators).addEventListener("change", drawFigures);
const waveSet = choices("wave-set", fromSets.map((set) => set.name), fromSets.map((_, i) => i));
function chooseSet() {
  const slider = document.getElementById("wave-stride");
  slider.max = fromSets[waveSet.value].waveforms.length - 1;
  slider.value = Math.floor(slider.max / 2);
  drawWaveform();
}
waveSet.addEventListener("change", chooseSet);
document.getElementById("wave-stride").addEventListener("input", drawWaveform);

function print(now) {
  if (printing !== now) { printing = now; drawAll(); }
}
addEventListener("beforeprint", () => print(true));
addEventListener("afterprint", () => print(false));
printed.addEventListener("change", (event) => print(event.matches));
dark.addEventListener("change", drawAll);
let waiting;
addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(() => printing || drawAll(), 150); });

for (const [figure] of OF_SETS) report.sets.forEach((set) => place(figure, set.name));
if (report.points.length) place("flash", "all");
if (fromSets.length) ["gyroscope", "accelerometer", "velocity", "path"].forEach((name) => place("wave", name));
drawFigures();
if (fromSets.length) chooseSet();
