// The background thread: reads files, runs the C library, and reports. The page stays free for its user.

import { FEET } from "./columns.js";
import { ReadError, readError } from "./errors.js";
import { Estimator, MAX_RATE_HZ, MIN_RATE_HZ } from "./estimator.js";
import { Heading } from "./heading.js";
import { short } from "./numbers.js";
import { readRecordings } from "./recording.js";
import { tableRows } from "./results.js";

/* global MODULE_BASE64 */
const STEPS_OF_PROGRESS = 50;
const KEPT_LIVE_S = 20;
const estimator = new Estimator(Uint8Array.from(atob(MODULE_BASE64), (sign) => sign.charCodeAt(0)));
const live = new Map(); // foot → {recording, strides, heading}

self.onmessage = async ({ data }) => {
  try {
    if (data.type === "read") await readFiles(data);
    else if (data.type === "live-start") startLive(data);
    else if (data.type === "live-samples") pushLive(data);
    else if (data.type === "live-stop") stopLive();
  } catch (error) {
    const message = error instanceof ReadError ? error.message : `The page has a fault: ${error.stack || error}`;
    self.postMessage({ type: "error", message });
  }
};

/** files: [{name, blob, foot}]; options: of recording.js. Answers progress, then done. */
async function readFiles({ files, options }) {
  const started = performance.now();
  const recordings = [];
  let size = 0;
  const total = files.reduce((sum, { blob }) => sum + blob.size, 0) || 1;
  for (const { name, blob, foot } of files) {
    progress("Reading", (0.6 * size) / total);
    const report = (share) => progress("Reading", (0.6 * (size + share * blob.size)) / total);
    const data = await content(name, blob);
    recordings.push(...readRecordings(name, data, { ...options, foot }, report));
    size += blob.size;
  }
  for (const recording of recordings) checkRate(recording);
  for (const recording of recordings) if (!recording.foot) recording.foot = footOfSignal(recording);
  const twice = FEET.find((foot) => recordings.filter((recording) => recording.foot === foot).length > 1);
  if (twice) {
    const names = recordings.filter((recording) => recording.foot === twice).map((recording) => recording.name);
    throw readError(names.join(" and "), `are both of the ${twice} foot`, "choose the foot of each file, or take one of them");
  }
  const samples = recordings.reduce((sum, { lost }) => sum + lost.length, 0);
  let before = 0;
  const rows = [];
  for (const recording of recordings) {
    const strides = strideLengths(recording, (n) => progress("Estimating strides", 0.6 + (0.4 * (before + n)) / samples));
    before += recording.lost.length;
    if (!strides.length) throw noStride(recording);
    rows.push(...tableRows(recording, strides));
  }
  finished(recordings, rows, { samples, seconds: (performance.now() - started) / 1000 });
}

async function content(name, blob) {
  const data = new Uint8Array(await blob.arrayBuffer());
  if (data[0] !== 0x1f || data[1] !== 0x8b) return data;
  try {
    const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    throw readError(name, "is damaged gzip", "compress it again");
  }
}

function checkRate({ name, rateHz }) {
  if (!(rateHz >= MIN_RATE_HZ && rateHz <= MAX_RATE_HZ)) {
    throw readError(
      name, `the sampling rate is ${short(rateHz)} Hz`, `resample it to one from ${MIN_RATE_HZ} to ${MAX_RATE_HZ} Hz`,
    );
  }
}

function noStride({ name, foot }) {
  if (estimator.hasUnitsError(foot)) {
    return readError(name, "|acc| at rest is not about 9.81 m/s²", "check the accelerometer's unit and calibration");
  }
  return readError(
    name, "no stride found, the foot never swings between two moments of rest",
    "record walking with a moment of standing before and after it",
  );
}

/** The strides of a recording, each with the turn that the drawing needs. */
function strideLengths({ foot, rateHz, samples, lost }, report = () => {}) {
  estimator.start(foot, rateHz);
  const step = Math.max(estimator.capacity, Math.ceil(lost.length / STEPS_OF_PROGRESS));
  const heading = new Heading(rateHz, 30);
  const strides = [];
  const take = (found) => {
    for (const stride of found) strides.push({ ...stride, turn_rad: turnOf(heading, stride) });
  };
  for (let at = 0; at < lost.length; at += estimator.capacity) {
    const end = Math.min(at + estimator.capacity, lost.length);
    const [some, missing] = [samples.subarray(6 * at, 6 * end), lost.subarray(at, end)];
    heading.push(some, missing);
    take(estimator.push(foot, some, missing));
    if (Math.floor(end / step) > Math.floor(at / step)) report(end);
  }
  take(estimator.finish(foot));
  return strides;
}

function turnOf(heading, stride) {
  return heading.turn(stride.start_sample + stride.start_fraction, stride.end_sample + stride.end_fraction);
}

/** The foot that no walking stride contradicts, where strides contradict the other one. */
function footOfSignal(recording) {
  const contradicted = FEET.map((foot) => {
    const walking = strideLengths({ ...recording, foot }).filter((stride) => !stride.flags.includes("not-walking"));
    return walking.length < 3 ? null : walking.some((stride) => stride.flags.includes("wrong-foot"));
  });
  const sure = FEET.findIndex((_, i) => contradicted[i] === false && contradicted[1 - i]);
  if (sure < 0) throw readError(recording.name, "it is not clear which foot wore the sensor", "choose left or right");
  recording.notes.push(`${FEET[sure]} foot, by its motion`);
  return FEET[sure];
}

function progress(step, share) {
  self.postMessage({ type: "progress", step, share });
}

function finished(recordings, rows, effort) {
  const heads = recordings.map(({ name, person, foot, rateHz, notes }) => ({ name, person, foot, rateHz, notes }));
  self.postMessage({
    type: "done", recordings: heads, rows, ...effort,
  });
}

/** Start or restart a live recording of one foot. */
function startLive({ foot, rateHz, name }) {
  checkRate({ name, rateHz });
  estimator.start(foot, rateHz);
  const recording = { name, person: name, foot, rateHz, clock: "", startS: NaN, notes: [`${short(rateHz)} Hz, live`] };
  live.set(foot, { recording, strides: [], heading: new Heading(rateHz, KEPT_LIVE_S) });
}

function pushLive({ foot, samples, lost }) {
  const { strides, heading } = live.get(foot);
  heading.push(samples, lost);
  const found = estimator.push(foot, samples, lost);
  for (const stride of found) strides.push({ ...stride, turn_rad: turnOf(heading, stride) });
  if (found.length) self.postMessage({ type: "live", ...liveResult() });
}

function stopLive() {
  for (const [foot, { strides, heading }] of live) {
    for (const stride of estimator.finish(foot)) strides.push({ ...stride, turn_rad: turnOf(heading, stride) });
  }
  const { recordings, rows } = liveResult();
  live.clear();
  if (rows.length) finished(recordings, rows, {});
  else self.postMessage({ type: "error", message: "No stride was found: stand still for a second, then walk." });
}

function liveResult() {
  const feet = [...live.values()];
  return {
    recordings: feet.map(({ recording }) => recording),
    rows: feet.flatMap(({ recording, strides }) => tableRows(recording, strides)),
  };
}
