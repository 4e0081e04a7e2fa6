// A table to recordings: which columns, which clock, which rate, which foot.
// Port of tinystride/reading/tables.py and of the parts of files.py that concern one file.

import { placeByCounter, placeByTime, placeWithoutTime } from "./clock.js";
import { AXES, findColumns, footOf, personOf } from "./columns.js";
import { ReadError, readError } from "./errors.js";
import { diff, median, rint, short } from "./numbers.js";
import { checkSamples, dropStrayValues, evenStream, isRepeat, scaled, slowed } from "./signals.js";
import { readText } from "./text.js";
import { numericTimes, textTimes, TICKS, typicalStep, unwrapped } from "./times.js";

const MAX_UNREADABLE_SHARE = 0.5;
// No sensor counts further; the squares of larger numbers may overflow.
const MAX_COUNT = 1e12, MAX_BEYOND_SHARE = 0.05;
const HZ = /(\d+(?:\.\d+)?)\s*hz\b/gi;
const RATE =
  /\b(?:sampl\w*[ _]*(?:rate|freq\w*)|rate|freq\w*|fs|odr|output[ _]*rate|samplingfrequency)\b[^0-9\n]{0,24}?(\d+(?:[.,]\d+)?)/gi;

/** "1 gap", "2 gaps". */
const counted = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

/**
 * The recordings in a file: one, or one for each foot.
 * @param name      file name
 * @param data      Uint8Array, its content
 * @param options   {rateHz, foot, columns, timeColumn, timeUnit, accUnit, gyrUnit, accScale, gyrScale}; null: find it
 * @param progress  called with the share that is done, 0 to 1
 * @return list of {name, person, foot, rateHz, samples, lost, clock, startS, notes}; samples: Float32Array [n][6] of
 *     m/s² and rad/s, those that the sensor delivered; lost: Uint32Array [n], how many are missing before each;
 *     foot: null where only the strides can show it
 */
export function readRecordings(name, data, options, progress = () => {}) {
  const table = readText(name, data);
  const columns = findColumns(table, options.columns, options.timeColumn);
  const sensors = wantedSensors(name, columns.sensors, options.foot);
  for (const sensor of sensors) {
    if (!sensor.acc.length || !sensor.gyr.length) {
      throw readError(
        name, `lacks the columns of ${sensor.acc.length ? "a gyroscope" : "an accelerometer"}`,
        `this page needs ${AXES.join(", ")} in one file; tinystride predict also joins two files`,
      );
    }
  }
  const numbers = [...new Set(sensors.flatMap((sensor) => [...sensor.acc, ...sensor.gyr]))].sort((a, b) => a - b);
  const wanted = new Set([...numbers, ...columns.times.map((time) => time.number)]);
  const values = table.columns([...wanted], (share) => progress(0.6 * share));
  checkReadable(table, sensors, values);
  const { clock, counter, trouble } = findClock(table, columns, values, options);
  progress(0.7);
  let rateHz = options.rateHz;
  const found = [];
  if (!clock && rateHz === null) {
    rateHz = rateInHeader(table);
    if (rateHz === null) {
      throw trouble || readError(name, "has no time column that shows the sampling rate", "give it under Options");
    }
    found.push(`${short(rateHz)} Hz from its header`);
  }
  const [placement, notes] = place(name, clock, counter, rateHz, numbers.map((number) => values[number]));
  progress(0.8);
  if (clock && placement.rateHz !== options.rateHz) {
    found.push(`${short(placement.rateHz)} Hz from ${clock.column.name} (${clock.times.unit})`);
  }
  const named = columns.assumed && table.names.length ? [columnsNote(table, sensors)] : [];
  return sensors.map((sensor) => {
    const part = {
      acc: withoutImpossible(sensor.acc.map((number) => values[number])),
      gyr: withoutImpossible(sensor.gyr.map((number) => values[number])),
      units: [sensor.accUnit, sensor.gyrUnit],
    };
    const result = finished(name, part, placement, sensor.foot, options);
    const clockName = clock ? clock.times.clock || `file ${name}` : "";
    return {
      ...result,
      clock: clockName,
      startS: clockName ? result.startS : NaN,
      notes: [...new Set([...named, ...found, ...result.notes, ...table.notes, ...placement.notes, ...notes, ...result.losses])],
    };
  });
}

/** One sensor's samples on the even grid, in m/s² and rad/s, without those that were lost. */
function finished(name, part, placement, columnFoot, options) {
  const units = scaled(name, part.acc, part.gyr, part.units, options, placement.rateHz);
  const axes = [...units.acc, ...units.gyr];
  dropStrayValues(axes);
  const { stream, note } = slowed(evenStream(name, placement, axes));
  checkSamples(name, stream);
  const given = [options.accUnit || options.accScale, options.gyrUnit || options.gyrScale];
  const notes = part.units.every((unit, i) => unit || given[i]) ? [] : [`units ${units.note}`];
  if (note) notes.push(note);
  let foot = options.foot || columnFoot;
  if (!foot && (foot = footOf(name.replace(/\.[^.]*$/, "")))) notes.push(`${foot} foot from the file's name`);
  const n = stream.lost.length;
  let lostCount = 0, gaps = 0;
  for (let i = 0; i < n; i++) {
    lostCount += stream.lost[i];
    if (stream.lost[i] && !(i && stream.lost[i - 1])) gaps++;
  }
  const losses = lostCount ? [`${counted(lostCount, "sample")} lost in ${counted(gaps, "gap")}`] : [];
  const jumps = placement.jumps.length;
  if (jumps) losses.push(`its clock jumps back ${counted(jumps, "time")}: flagged there`);
  const samples = new Float32Array(6 * (n - lostCount)), lost = new Uint32Array(n - lostCount);
  for (let i = 0, k = 0, missing = 0; i < n; i++) {
    if (stream.lost[i]) {
      missing++;
      continue;
    }
    for (let axis = 0; axis < 6; axis++) samples[6 * k + axis] = stream.axes[axis][i];
    lost[k++] = missing;
    missing = 0;
  }
  return {
    name, person: personOf(name), foot, rateHz: stream.rateHz, samples, lost, startS: stream.startS, notes, losses,
    durationS: n / stream.rateHz,
  };
}

function wantedSensors(name, sensors, foot) {
  const sides = sensors.filter((sensor) => sensor.foot);
  if (!foot || !sides.length) return sensors;
  const chosen = sides.filter((sensor) => sensor.foot === foot);
  if (!chosen.length) {
    throw readError(name, `its columns are of the ${sides[0].foot} foot`, `choose the ${sides[0].foot} foot`);
  }
  return chosen;
}

function columnsNote(table, sensors) {
  const titles = table.names[0].map((_, i) => table.names.map((row) => row[i]).filter(Boolean).join(" "));
  const shown = sensors.flatMap((sensor) =>
    ["acc", "gyr"].map((kind) => `${sensor.foot ? sensor.foot + " " : ""}${kind} '${titles[sensor[kind][0]]}', …`),
  );
  return `columns ${shown.join(", ")}`;
}

function checkReadable(table, sensors, values) {
  for (const sensor of sensors) {
    [...sensor.acc, ...sensor.gyr].forEach((number, axis) => {
      const column = values[number];
      let missing = 0, first = -1;
      for (let i = 0; i < column.length; i++) {
        if (Number.isFinite(column[i])) continue;
        missing++;
        if (first < 0) first = i;
      }
      if (missing / column.length > MAX_UNREADABLE_SHARE) {
        const share = Math.round((100 * missing) / column.length);
        throw readError(
          table.name,
          `line ${table.firstLine + first}: ${AXES[axis]} is missing or not a finite number, as in ${share}% of all rows`,
          "export it again, or name other columns under Options",
        );
      }
    });
  }
}

/** A few rows beyond what any sensor counts, as damage leaves them, become NaN. */
function withoutImpossible(axes) {
  const beyond = new Set();
  for (const axis of axes) for (let i = 0; i < axis.length; i++) if (Math.abs(axis[i]) > MAX_COUNT) beyond.add(i);
  if (!beyond.size || beyond.size >= MAX_BEYOND_SHARE * axes[0].length) return axes;
  return axes.map((axis) => {
    const copy = axis.slice();
    for (const i of beyond) copy[i] = NaN;
    return copy;
  });
}

/** {clock: the column that shows the time best, counter of samples, trouble: why no column does}. */
function findClock(table, columns, values, options) {
  let best = null, counter = null, trouble = null;
  const forced = options.timeColumn || "time" in options.columns || options.timeUnit;
  const saidTicks = options.timeUnit && TICKS.test(options.timeUnit);
  columns.times.forEach((column, order) => {
    const given = values[column.number];
    let finite = 0;
    for (let i = 0; i < given.length; i++) if (Number.isFinite(given[i])) finite++;
    const numeric = finite / given.length > 0.5;
    if (numeric && (column.counts || isCount(given, column)) && !saidTicks) {
      counter = counter || asCounter(given);
      return;
    }
    let times;
    try {
      if (numeric) {
        if (options.timeUnit === "iso") {
          throw readError(table.name, `'${column.name}' holds numbers, no dates`, "choose another time unit under Options");
        }
        times = numericTimes(table.name, given, column.name, column.unit, options.timeUnit, options.rateHz);
      } else {
        const texts = table.textColumn(column.number);
        if (!texts.some(Boolean)) return;
        times = textTimes(table.name, texts, column.name);
      }
    } catch (error) {
      if (!(error instanceof ReadError)) throw error;
      trouble = trouble || error;
      return;
    }
    const score = [...unevenness(times.seconds), order];
    if (!best || compare(score, best.score) < 0) best = { score, clock: { column, times } };
  });
  if (best) return { clock: best.clock, counter, trouble: null };
  // The user's rate and a counter place all samples; without them no clock is left.
  if (trouble && (forced || !counter || options.rateHz === null)) throw trouble;
  return { clock: null, counter, trouble };
}

function compare(a, b) {
  const i = a.findIndex((value, k) => value !== b[k]);
  return i < 0 ? 0 : a[i] - b[i];
}

/** Whether a column without a unit counts samples: whole numbers in steps of one. */
function isCount(values, column) {
  if (column.unit) return false;
  const numbers = values.filter(Number.isFinite);
  return numbers.length > 2 && numbers.every(Number.isInteger) && median(diff(numbers)) === 1;
}

/** A column as a counter of samples, unwrapped; null if most of its steps are not its usual one. */
function asCounter(values) {
  const counts = unwrapped(values);
  const finite = counts.filter(Number.isFinite);
  const step = typicalStep(finite);
  if (finite.length < 0.9 * counts.length || !(step > 0)) return null;
  const steps = diff(finite);
  return steps.filter((change) => Math.abs(change / step - 1) < 1e-6).length / steps.length > 0.6 ? counts : null;
}

/** [share of stamps that repeat, spread of the steps], rounded: the smaller, the better a clock. */
function unevenness(seconds) {
  const stamps = seconds.filter(Number.isFinite);
  const step = typicalStep(stamps);
  const relative = diff(stamps).map((change) => change / step);
  const centre = median(relative);
  const repeats = relative.filter((change) => change === 0).length / relative.length;
  const spread = median(relative.map((change) => Math.abs(change - centre)));
  return [rint(10 * repeats) / 10, rint(10 * spread) / 10];
}

function place(name, clock, counter, rateHz, axes) {
  const n = axes[0].length;
  if (!clock) {
    return [counter && !isPlain(counter) ? placeByCounter(name, counter, rateHz) : placeWithoutTime(n, rateHz), []];
  }
  const seconds = clock.times.seconds.slice();
  const notes = [];
  const twice = exactDuplicates(seconds, axes);
  for (const i of twice) seconds[i] = NaN;
  if (twice.length) notes.push(`${twice.length} duplicate rows dropped`);
  return [placeByTime(name, seconds, rateHz, counter && !isPlain(counter) ? counter : null), notes];
}

/** Whether a counter never skips: a number of rows, which does not show what was lost. */
function isPlain(counter) {
  const steps = diff(counter.filter(Number.isFinite));
  return steps.every((step) => step === steps[0]);
}

/** Rows that repeat the one before in time and samples, where stamps repeat only so. */
function exactDuplicates(seconds, axes) {
  const rows = [];
  let sameTime = 0;
  for (let i = 1; i < seconds.length; i++) {
    if (seconds[i] !== seconds[i - 1]) continue;
    sameTime++;
    if (isRepeat(axes, i)) rows.push(i);
  }
  return rows.length >= 0.9 * sameTime ? rows : [];
}

/** The only sampling rate that the lines before the rows give. */
function rateInHeader(table) {
  const text = table.preamble.join("\n");
  for (const pattern of [RATE, HZ]) {
    const found = new Set([...text.matchAll(pattern)].map((match) => Number(match[1].replace(",", "."))));
    const rates = [...found].filter((rate) => rate >= 20 && rate <= 5000);
    if (rates.length === 1) return rates[0];
  }
  return null;
}
