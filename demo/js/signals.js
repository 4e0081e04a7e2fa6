// Samples as a sensor wrote them to m/s² and rad/s on an even grid: units that fit, gaps, high rates.
// Port of tinystride/reading/signals.py and of the checks in tinystride/datasets/samples.py.

import { AROUND_JUMP } from "./clock.js";
import { AXES } from "./columns.js";
import { readError } from "./errors.js";
import { deviation, maxOf, median, percentile, rint, short } from "./numbers.js";
import { ACC_UNITS, COUNTS, GRAVITY_MPS2, GYR_UNITS } from "./units.js";

const QUIET_WINDOW_S = 0.25;
const REST_TOLERANCE = 0.12;
// In a swing a foot turns at 1 to 20 rad/s, 60 to 1200 deg/s.
const RADPS_UP_TO = 25;
const DEGPS_RANGE = [45, 2600];
const MDEGPS_FROM = 40_000;
const MIN_SWING_RADPS = 0.5, MAX_SWING_RADPS = 40;
const MOVING_ACC_SD_MPS2 = 1;
// Beyond the full scale of every sensor for people: a stray value.
const MAX_ACC_MPS2 = 250 * GRAVITY_MPS2;
const MAX_GYR_RADPS = (4500 * Math.PI) / 180;
// |acc| at rest, as a share of its SD in motion, where gravity was removed.
const WITHOUT_GRAVITY = 0.25;
const COUNTS_AS_MG = 1024; // counts a g of a common 12-bit sensor, which look like milli-g
const MAX_RATE_HZ = 420;
// A foot that turns as fast gives no two equal samples, let alone three.
const FROZEN_GYR_RADPS = 0.5, FROZEN_SAMPLES = 3;
const SCALES =
  "give both scales under Options, in m/s² and rad/s per count (of 16 bits: 0.0047884 for ±16 g, " +
  "0.00106526 for ±2000 deg/s)";

const norm = (axes, i) => Math.sqrt(axes[0][i] ** 2 + axes[1][i] ** 2 + axes[2][i] ** 2);

const picked = (axis, rows) => filled(rows.length, (i) => axis[rows[i]]);

function filled(n, value) {
  const result = new Float64Array(n);
  for (let i = 0; i < n; i++) result[i] = value(i);
  return result;
}

/** Numbers of the rows that a test accepts. */
function rowsWhere(n, accepts) {
  const rows = new Int32Array(n);
  let count = 0;
  for (let i = 0; i < n; i++) if (accepts(i)) rows[count++] = i;
  return rows.subarray(0, count);
}

function allFinite(axes, i) {
  for (let a = 0; a < axes.length; a++) if (!Number.isFinite(axes[a][i])) return false;
  return true;
}

/**
 * Samples in m/s² and rad/s, and a note that says from which units.
 * @param acc, gyr  three Float64Arrays each
 * @param units     [acc, gyr] that the file names, or null
 * Without a name the unit is the one that fits the signal. Throws if no unit fits, or if the named one does not.
 */
export function scaled(source, acc, gyr, units, options, rateHz) {
  const six = [...acc, ...gyr];
  const rows = rowsWhere(acc[0].length, (i) => allFinite(six, i));
  const pick = (axes) => axes.map((axis) => picked(axis, rows));
  const [someAcc, someGyr] = [pick(acc), pick(gyr)];
  const [rest, spread] = restLevel(someAcc, someGyr, rateHz);
  const swing = swingLevel(someGyr, rateHz);
  let accFactor, accNote, gyrFactor, gyrNote;
  if (options.accScale) {
    [accFactor, accNote] = [options.accScale, `${short(options.accScale)} m/s² per count`];
    checkRest(source, rest * accFactor, accNote, null, options);
  } else {
    accNote = accUnit(source, rest, spread, options.accUnit || units[0], someAcc, options);
    accFactor = ACC_UNITS[accNote];
  }
  if (options.gyrScale) {
    [gyrFactor, gyrNote] = [options.gyrScale, `${short(options.gyrScale)} rad/s per count`];
    if (swing * gyrFactor > MAX_SWING_RADPS) {
      throw readError(
        source, `the gyroscope reaches ${short(swing * gyrFactor, 4)} rad/s in the swing with ${gyrNote}`,
        "check the gyroscope's scale: it is in rad/s per count, π/180 times that in deg/s",
      );
    }
  } else {
    const moving = deviation(filled(rows.length, (i) => norm(someAcc, i) * accFactor)) > MOVING_ACC_SD_MPS2;
    gyrNote = gyrUnit(source, swing, options.gyrUnit || units[1], moving, someGyr);
    gyrFactor = GYR_UNITS[gyrNote];
  }
  const times = (axes, factor) => axes.map((axis) => axis.map((value) => value * factor));
  return { acc: times(acc, accFactor), gyr: times(gyr, gyrFactor), note: `${accNote}, ${gyrNote}` };
}

/** |acc| where the foot turns least, in the unit of acc, and its relative spread over such moments. */
function restLevel(acc, gyr, rateHz) {
  const n = acc[0].length;
  const window = Math.max(2, rint(QUIET_WINDOW_S * rateHz));
  if (n < 2 * window) {
    let total = 0;
    for (let i = 0; i < n; i++) total += norm(acc, i);
    return [n ? total / n : NaN, 0];
  }
  const count = Math.floor(n / window);
  const energy = new Float64Array(count), size = new Float64Array(count);
  for (let i = 0; i < count * window; i++) {
    const w = Math.floor(i / window);
    energy[w] += gyr[0][i] ** 2 + gyr[1][i] ** 2 + gyr[2][i] ** 2;
    size[w] += norm(acc, i) / window;
  }
  const order = Array.from(energy.keys()).sort((a, b) => energy[a] - energy[b]);
  const quiet = order.slice(0, Math.max(3, Math.floor(count / 20))).map((w) => size[w]);
  const level = median(quiet);
  return [level, level ? median(quiet.map((value) => Math.abs(value - level))) / level : 0];
}

/** The angular rate that the swings reach: the 99th percentile while the foot turns. */
function swingLevel(gyr, rateHz) {
  const n = gyr[0].length;
  const window = Math.max(2, rint(QUIET_WINDOW_S * rateHz));
  const size = new Float64Array(n);
  for (let i = 0; i < n; i++) size[i] = Math.max(Math.abs(gyr[0][i]), Math.abs(gyr[1][i]), Math.abs(gyr[2][i]));
  const count = Math.floor(n / window);
  if (count < 4) return maxOf(size, 0);
  const levels = Float64Array.from({ length: count }, (_, w) => median(size.subarray(w * window, (w + 1) * window)));
  const limit = 0.3 * percentile(levels, 98);
  const active = [];
  for (let w = 0; w < count; w++) {
    if (levels[w] > limit) for (let i = w * window; i < (w + 1) * window; i++) active.push(size[i]);
  }
  return active.length ? percentile(active, 99) : maxOf(size, 0);
}

function isGravity(valueMps2) {
  return Math.abs(valueMps2 / GRAVITY_MPS2 - 1) <= REST_TOLERANCE;
}

const allWhole = (axes) => axes.every((axis) => axis.every((value) => Number.isInteger(value)));
const spelled = (unit) => (unit === "m/s2" ? "m/s²" : unit);

function accUnit(source, rest, spread, named, acc, options) {
  const fitting = Object.keys(ACC_UNITS).find((unit) => isGravity(rest * ACC_UNITS[unit])) || null;
  const sd = acc[0].length ? deviation(filled(acc[0].length, (i) => norm(acc, i))) : 0;
  if (sd > 0 && rest < WITHOUT_GRAVITY * sd && (!fitting || spread > 0.1)) {
    throw readError(
      source, `|acc| at rest is ${short(rest, 3)}, far below its values in motion: gravity was removed`,
      "export the acceleration with gravity, as the sensor measures it",
    );
  }
  if (named && named !== COUNTS) {
    checkRest(source, rest * ACC_UNITS[named], named, fitting, options);
    return named;
  }
  const integers = allWhole(acc);
  const ambiguous = fitting === "mg" && integers && Math.abs(rest / COUNTS_AS_MG - 1) < 0.015;
  if (!fitting || named === COUNTS || ambiguous) {
    if (integers || named === COUNTS) {
      throw readError(
        source, `its acceleration seems to be in ${ambiguous ? "mg or " : ""}raw counts (${rest.toFixed(0)} at rest)`,
        ambiguous ? `choose mg as the unit; for counts, ${SCALES}` : SCALES,
      );
    }
    throw readError(
      source, `|acc| at rest is ${short(rest, 3)}, which is not 9.81 m/s² in any of the units ${Object.keys(ACC_UNITS).join(", ")}`,
      "check unit and calibration, or give the accelerometer's scale under Options, in m/s² per unit",
    );
  }
  return fitting;
}

function checkRest(source, restMps2, note, fitting, options) {
  if (isGravity(restMps2)) return;
  const found = `|acc| at rest is ${short(restMps2, 3)} m/s², not about 9.81, if its unit is ${note}`;
  if (fitting) throw readError(source, found, `${spelled(fitting)} fits: choose it under Options, Accelerometer unit`);
  if (options.accScale) {
    const scale = restMps2 ? (options.accScale * GRAVITY_MPS2) / restMps2 : NaN;
    throw readError(source, found, `a scale of ${short(scale, 4)} would fit: check it`);
  }
  throw readError(
    source, found, "check unit, calibration, and that gravity was not removed; raw counts need a scale",
  );
}

function gyrUnit(source, swing, named, moving, gyr) {
  const integers = allWhole(gyr);
  let fitting = null;
  if (swing >= MIN_SWING_RADPS && swing <= RADPS_UP_TO && !(integers && swing > 3)) fitting = "rad/s";
  else if (swing >= DEGPS_RANGE[0] && swing <= DEGPS_RANGE[1]) fitting = "deg/s";
  else if (swing >= MDEGPS_FROM) {
    const counts = integers && gyr.every((axis) => axis.every((value) => Math.abs(value) <= 32_768));
    if (!counts) fitting = "mdeg/s";
  }
  if (named && named !== COUNTS) {
    const reached = swing * GYR_UNITS[named];
    if (reached > MAX_SWING_RADPS || (moving && reached < MIN_SWING_RADPS)) {
      throw readError(
        source, `the gyroscope reaches ${short(reached, 3)} rad/s in the swing, if its unit is ${named}`,
        fitting && fitting !== named
          ? `${fitting} fits: choose it under Options, Gyroscope unit`
          : `check the unit; raw counts need a scale: ${SCALES}`,
      );
    }
    return named;
  }
  if (named === COUNTS || (!fitting && integers)) {
    throw readError(source, `its gyroscope seems to be in raw counts (${swing.toFixed(0)} in the swing)`, SCALES);
  }
  if (!fitting || (!moving && swing < 1)) {
    if (!moving) return "rad/s";
    throw readError(
      source, `the unit of its gyroscope is not clear (${short(swing, 3)} in the swing)`,
      "choose it under Options, Gyroscope unit",
    );
  }
  return fitting;
}

/** Rows with a value that no sensor has become NaN, if they are few. */
export function dropStrayValues(axes) {
  const n = axes[0].length;
  const found = new Set();
  axes.forEach((axis, a) => {
    const limit = a < 3 ? MAX_ACC_MPS2 : MAX_GYR_RADPS;
    for (let i = 0; i < n; i++) if (Math.abs(axis[i]) > limit) found.add(i);
  });
  const stray = [...found];
  if (stray.length / n < 0.05) for (const i of stray) for (const axis of axes) axis[i] = NaN;
}

/** Rows that hold no sample, though a logger has written them: all zeros, or repeated while the foot turns. */
function lostRows(axes) {
  const n = axes[0].length;
  const lost = new Uint8Array(n);
  const gyr = axes.slice(3);
  for (let begin = 0, i = 1; i <= n; i++) {
    if (i < n && isRepeat(axes, i)) continue;
    // A run of equal samples from `begin` to before `i`.
    for (let k = begin + 1; k < i && i - begin >= FROZEN_SAMPLES; k++) {
      if (norm(gyr, k) > FROZEN_GYR_RADPS) lost[k] = 1;
    }
    begin = i;
  }
  for (let i = 0; i < n; i++) if (axes[0][i] === 0 && axes.every((axis) => axis[i] === 0)) lost[i] = 1;
  return lost;
}

/** Whether row i repeats the one before. */
export function isRepeat(axes, i) {
  return axes[0][i] === axes[0][i - 1] && axes.every((axis) => axis[i] === axis[i - 1]);
}

/** Rows of a file onto the even grid: {axes, lost, rateHz, startS}. Missing rows are interpolated and marked lost. */
export function evenStream(source, placement, axes) {
  const { rows } = placement;
  const given = axes.map((axis) => picked(axis, rows));
  const finite = rowsWhere(rows.length, (i) => allFinite(given, i));
  const missed = lostRows(given.map((axis) => picked(axis, finite)));
  const living = finite.filter((_, k) => !missed[k]);
  const kept = living.length / rows.length >= 0.5 ? living : finite; // otherwise a dead sensor, not losses
  if (kept.length < 2) throw readError(source, "contains no samples", "export the recording again");
  const first = kept[0];
  const origin = placement.place[first];
  const place = filled(kept.length, (k) => placement.place[kept[k]] - origin);
  const size = place[place.length - 1] + 1;
  if (size > 2 * place.length + 60 * placement.rateHz) {
    throw readError(
      source, `${size - place.length} of ${size} samples are missing`, "check the export, or split it at its pauses",
    );
  }
  const lost = new Uint8Array(size).fill(1);
  for (let k = 0; k < place.length; k++) lost[place[k]] = 0;
  let at, sound;
  if (!placement.timesS) {
    for (const jump of placement.jumps) {
      const begin = Math.max(1, jump - AROUND_JUMP - origin);
      lost.fill(1, begin, Math.max(begin, Math.min(size - 1, jump + AROUND_JUMP - origin)));
    }
    const unbroken = rowsWhere(kept.length, (k) => !lost[place[k]]);
    sound = unbroken.map((k) => kept[k]);
    at = filled(unbroken.length, (k) => origin + place[unbroken[k]]);
  } else {
    const start = placement.timesS[first];
    at = filled(kept.length, (k) => origin + (placement.timesS[kept[k]] - start) * placement.rateHz);
    sound = kept;
    // Interpolated between neighbours, samples are lost where these are far apart.
    for (let i = 0, right = 0; i < size; i++) {
      while (right < at.length && at[right] < origin + i) right++;
      const r = Math.min(Math.max(right, 1), at.length - 1);
      lost[i] = at[r] - at[r - 1] > 1.8 ? 1 : 0;
    }
    lost[0] = lost[size - 1] = 0;
  }
  const even = given.map((axis) => interpolated(origin, size, at, picked(axis, sound)));
  const startS = placement.timesS
    ? placement.timesS[first]
    : placement.startS + (origin - placement.place[0]) / placement.rateHz;
  return { axes: even, lost, rateHz: placement.rateHz, startS };
}

/** Values known at increasing places, at `size` places from `origin` on; beyond the ends the last known one. */
function interpolated(origin, size, at, values) {
  const result = new Float64Array(size);
  for (let i = 0, right = 0; i < size; i++) {
    const grid = origin + i;
    while (right < at.length && at[right] <= grid) right++;
    const left = right - 1;
    if (left < 0) result[i] = values[0];
    else if (right === at.length || at[left] === grid) result[i] = values[left];
    else {
      const slope = (values[right] - values[left]) / (at[right] - at[left]);
      result[i] = slope * (grid - at[left]) + values[left];
    }
  }
  return result;
}

/** The same with every k-th sample after a low-pass filter where the rate is above what the estimator takes. */
export function slowed(stream) {
  if (stream.rateHz <= MAX_RATE_HZ) return { stream, note: "" };
  const factor = Math.ceil(stream.rateHz / MAX_RATE_HZ);
  // A sinc of 10 zero crossings to either side under a Kaiser window, cut off at the new Nyquist frequency.
  const reach = 10 * factor;
  const taps = Float64Array.from({ length: 2 * reach + 1 }, (_, i) => {
    const x = (Math.PI * (i - reach)) / factor;
    const share = (i - reach) / reach;
    return (x ? Math.sin(x) / x : 1) * (bessel(5 * Math.sqrt(1 - share * share)) / bessel(5));
  });
  let total = 0;
  for (const tap of taps) total += tap;
  const n = stream.lost.length, kept = Math.ceil(n / factor);
  const axes = stream.axes.map((axis) =>
    Float64Array.from({ length: kept }, (_, k) => {
      let value = 0;
      for (let i = 0; i < taps.length; i++) {
        value += (taps[i] / total) * axis[Math.min(Math.max(k * factor + i - reach, 0), n - 1)];
      }
      return value;
    }),
  );
  const lost = Uint8Array.from({ length: kept }, (_, k) => {
    const end = Math.min(k * factor + factor, n);
    return stream.lost.subarray(Math.max(end - 2 * factor, 0), end).includes(1) ? 1 : 0;
  });
  const rateHz = stream.rateHz / factor;
  const note = `decimated from ${short(stream.rateHz)} to ${short(rateHz)} Hz`;
  return { stream: { axes, lost, rateHz, startS: stream.startS }, note };
}

/** Modified Bessel function of the first kind, order 0. */
function bessel(x) {
  let term = 1, total = 1;
  for (let k = 1; k < 60; k++) {
    term *= (x / (2 * k)) ** 2;
    total += term;
  }
  return total;
}

/** Throws unless the samples are at least a second of finite, living samples in m/s² and rad/s. */
export function checkSamples(source, stream) {
  const { axes, rateHz } = stream;
  const n = axes[0].length;
  if (!(rateHz >= 20 && rateHz <= 5000)) {
    throw readError(source, `the sampling rate is ${short(rateHz)} Hz`, "it has to be between 20 and 5000 Hz");
  }
  if (n < rateHz) throw readError(source, `contains ${n} samples, less than a second`, "record a whole walk");
  axes.forEach((axis, a) => {
    const wrong = axis.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0) throw readError(source, `sample ${wrong}: ${AXES[a]} is not finite`, "cut the recording before it");
    if (axis.every((value) => value === axis[0])) {
      throw readError(source, `${AXES[a]} is ${short(axis[0])} from first to last sample`, "check the sensor and the export");
    }
  });
  const [acc, gyr] = [axes.slice(0, 3), axes.slice(3)];
  const turning = filled(n, (i) => Math.max(Math.abs(gyr[0][i]), Math.abs(gyr[1][i]), Math.abs(gyr[2][i])));
  const reached = percentile(turning, 99);
  if (reached > MAX_SWING_RADPS) {
    throw readError(
      source, `the gyroscope reaches ${short(reached, 4)} rad/s, as if its unit were deg/s`,
      "choose deg/s under Options, Gyroscope unit",
    );
  }
  const moving = deviation(filled(n, (i) => norm(acc, i))) > MOVING_ACC_SD_MPS2;
  if (moving && reached < MIN_SWING_RADPS) {
    throw readError(
      source,
      `the gyroscope reaches only ${short(reached, 2)} rad/s while the foot moves, as if rad/s ` +
        "were read as deg/s",
      "choose rad/s under Options, Gyroscope unit",
    );
  }
  const rest = restAcceleration(acc, gyr, rateHz);
  if (!isGravity(rest)) {
    throw readError(
      source, `|acc| at rest is ${short(rest, 3)} m/s², not about 9.81`,
      "check unit, calibration, and that gravity was not removed",
    );
  }
}

/** Mean |acc|, m/s², of the 0.25 s in which the foot turns least. */
function restAcceleration(acc, gyr, rateHz) {
  const n = acc[0].length;
  const window = Math.min(n, Math.max(2, rint(QUIET_WINDOW_S * rateHz)));
  const energy = (i) => gyr[0][i] ** 2 + gyr[1][i] ** 2 + gyr[2][i] ** 2;
  let total = 0;
  for (let i = 0; i < window; i++) total += energy(i);
  let minTotal = total, start = 0;
  for (let i = window; i < n; i++) {
    total += energy(i) - energy(i - window);
    if (total < minTotal) [minTotal, start] = [total, i - window + 1];
  }
  let size = 0;
  for (let i = start; i < start + window; i++) size += norm(acc, i) / window;
  return size;
}
