// A column of time to seconds: its unit, dates, ticks, wrap-around of counters. Port of tinystride/reading/times.py.

import { readError } from "./errors.js";
import { diff, maxOf, median, short } from "./numbers.js";
import { TIME_UNITS } from "./units.js";

const UNNAMED_RATE_RANGE_HZ = [20, 450];
const NAMED_RATE_RANGE_HZ = [15, 5000];
// Rates above 450 Hz that sensors have; between them a column without a unit is rather one of ticks.
const FAST_RATES_HZ = [500, 512, 800, 819.2, 833, 952, 1000, 1024, 1600, 2000];
const EPOCH_S = [9e8, 5e9];
export const TICKS = /^ticks?:(\d+(?:\.\d+)?(?:e\d+)?)$/;
// Where counters and clocks begin anew.
const PERIODS = [
  256, 1000, 4096, 10_000, 65_536, 100_000, 1_000_000, 2 ** 24, 2 ** 31, 2 ** 32, 60, 3600, 86_400,
];
const NAMES = { s: "s", ms: "ms", us: "µs", ns: "ns" };
const CHOICES = "give it under Options, Time unit: s, ms, us, ns or ticks:RATE";

/** The usual step between neighbours, also where many share a stamp; NaN without steps. */
export function typicalStep(values) {
  let steps = diff(values);
  if (!steps.length) return NaN;
  let equal = 0;
  for (let i = 0; i < steps.length; i++) if (steps[i] === 0) equal++;
  if (equal / steps.length > 0.05) {
    const reach = Math.max(1, Math.min(256, values.length >> 2));
    steps = new Float64Array(values.length - reach);
    for (let i = 0; i < steps.length; i++) steps[i] = (values[i + reach] - values[i]) / reach;
  }
  return median(steps.filter((step) => step > 0));
}

/**
 * Seconds of a column of numbers: {seconds, unit, clock}.
 * @param namedUnit  unit in the column's name, or null
 * @param said       unit that the user gave, or null
 */
export function numericTimes(source, values, name, namedUnit, said, rateHz) {
  const even = unwrapped(values);
  const step = typicalStep(even.filter(Number.isFinite));
  if (!(step > 0)) {
    throw readError(source, `time does not increase in '${name}'`, "choose another column under Options, Time column");
  }
  const ticks = said ? TICKS.exec(said) : null;
  let factor, unit;
  if (ticks) [factor, unit] = [1 / Number(ticks[1]), said];
  else if (said && said !== "iso") {
    [factor, unit] = [TIME_UNITS[said], said];
    if (!within(1 / (step * factor), NAMED_RATE_RANGE_HZ)) throw wrongUnit(source, name, step, unit, "the option says");
  } else if (namedUnit) {
    [factor, unit] = [TIME_UNITS[namedUnit], namedUnit];
    if (!within(1 / (step * factor), NAMED_RATE_RANGE_HZ)) throw wrongUnit(source, name, step, unit, "its name says");
  } else [factor, unit] = onlyUnit(source, name, step, rateHz);
  const seconds = even.map((value) => value * factor);
  const first = seconds.find(Number.isFinite);
  const clock = within(first, EPOCH_S) && !unit.startsWith("tick") ? "utc" : "";
  return { seconds, unit, clock };
}

function within(value, [low, high]) {
  return low <= value && value <= high;
}

/** Units that make a usual sampling rate of a step, or the rate that the user has given. */
function fittingUnits(step, rateHz = null) {
  return Object.keys(TIME_UNITS).filter((unit) => {
    const rate = 1 / (step * TIME_UNITS[unit]);
    if (rateHz !== null) return Math.abs(rate / rateHz - 1) < 0.2;
    return within(rate, UNNAMED_RATE_RANGE_HZ) || FAST_RATES_HZ.some((fast) => Math.abs(rate / fast - 1) < 0.02);
  });
}

function onlyUnit(source, name, step, rateHz) {
  const letters = name.toLowerCase().replace(/[^a-z]/g, "");
  if (letters.endsWith("sampletimefine") && step >= 50 && step <= 500) return [1e-4, "0.1 ms"]; // Xsens MTw
  let fitting = fittingUnits(step, rateHz);
  if (Math.abs(step - 1) < 1e-9 && rateHz === null) fitting = []; // milliseconds at 1000 Hz, or a count of samples
  if (fitting.length === 1) return [TIME_UNITS[fitting[0]], fitting[0]];
  if (rateHz !== null) {
    const usual = fittingUnits(step);
    if (usual.length === 1) throw otherRate(source, 1 / (step * TIME_UNITS[usual[0]]), rateHz, ` (${name})`);
    return [1 / (step * rateHz), `ticks of ${short(step * rateHz)} Hz`];
  }
  throw readError(
    source, `the unit of '${name}' is unknown: its steps are ${short(step)}`, `${CHOICES}, or give the sampling rate`,
  );
}

/** The error where the time stamps contradict the rate that the user has given. */
export function otherRate(source, foundHz, rateHz, name = "") {
  return readError(
    source, `its time stamps${name} say ${short(foundHz, 4)} Hz, not ${short(rateHz)} Hz`,
    "leave the sampling rate empty if the stamps are right, or give their unit under Options, Time unit",
  );
}

function wrongUnit(source, name, step, unit, who) {
  const fitting = fittingUnits(step).filter((other) => other !== unit);
  const remedy =
    fitting.length === 1
      ? `its steps of ${short(step)} fit ${NAMES[fitting[0]]}: choose it under Options, Time unit`
      : `its steps are ${short(step)}: ${CHOICES}`;
  const rate = short(1 / (step * TIME_UNITS[unit]), 4);
  return readError(source, `${who} that '${name}' is in ${NAMES[unit] || unit}, which makes ${rate} Hz`, remedy);
}

const TIME_OF_DAY = /^(\d{1,2}):(\d\d)(?::(\d\d))?(?:[.,:](\d+))?$/;
const DATE = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d)[:.](\d\d)(?:[:.](\d\d)(?:[.,](\d+))?)?\s*(Z|[+-]\d\d:?\d\d)?$/;
const DAY_FIRST = /^(\d\d)[-.](\d\d)[-.](\d{4}) (\d\d):(\d\d):(\d\d)[.,](\d+)()$/;

/** Seconds of dates and times of day as text: ISO 8601 and similar forms. */
export function textTimes(source, texts, name) {
  const plain = texts.map((text) => text.replace(/^[ "']+|[ "']+$/g, ""));
  const example = plain.slice(0, 200).find((text) => !["", "nan", "none"].includes(text.toLowerCase())) || "";
  if (TIME_OF_DAY.test(example)) {
    const seconds = Float64Array.from(plain, (text) => {
      const match = TIME_OF_DAY.exec(text);
      if (!match) return NaN;
      return 3600 * match[1] + 60 * match[2] + Number(match[3] || 0) + Number(`0.${match[4] || 0}`);
    });
    return { seconds: unwrapped(seconds), unit: "hh:mm:ss", clock: "time of day" };
  }
  const spelled = plain.map((text) => text.replaceAll("/", "-"));
  let dayFirst = false;
  let seconds = Float64Array.from(spelled, (text) => secondsOf(DATE.exec(text)));
  if (count(seconds) <= 0.5 * seconds.length) {
    dayFirst = true;
    seconds = Float64Array.from(spelled, (text) => {
      const match = DAY_FIRST.exec(text);
      return secondsOf(match && [match[0], match[3], match[2], match[1], ...match.slice(4)]);
    });
  }
  if (count(seconds) < 0.5 * seconds.length) {
    throw readError(
      source, `'${name}' is in no form of time that is known: '${example}'`,
      "write it in seconds or as 2024-03-01T10:00:00.010, or choose another column under Options, Time column",
    );
  }
  const zone = !dayFirst && /Z$|[+-]\d\d:?\d\d$/.test(spelled[0]);
  return { seconds, unit: "date and time", clock: zone ? "utc" : "local" };
}

function count(values) {
  return values.reduce((total, value) => total + (Number.isFinite(value) ? 1 : 0), 0);
}

/** Seconds since 1970 of year, month, day, hour, minute, second, decimals, zone. */
function secondsOf(match) {
  if (!match) return NaN;
  const [, year, month, day, hour, minute, second, decimals, zone] = match;
  let whole = Date.UTC(year, month - 1, day, hour, minute, second || 0) / 1000;
  if (zone && zone !== "Z") {
    const [sign, hours, minutes] = [zone[0] === "-" ? -1 : 1, zone.slice(1, 3), zone.slice(-2)];
    whole -= sign * (3600 * hours + 60 * minutes);
  }
  // Through whole nanoseconds, as pandas holds times.
  const nanoseconds = BigInt(whole) * 1_000_000_000n + BigInt(((decimals || "") + "000000000").slice(0, 9));
  return Number(nanoseconds) / 1e9;
}

/** The same numbers without the steps back where a counter or a clock restarts. */
export function unwrapped(values) {
  const result = Float64Array.from(values);
  const places = new Int32Array(result.length);
  let count = 0;
  for (let i = 0; i < result.length; i++) if (Number.isFinite(result[i])) places[count++] = i;
  if (count < 4) return result;
  const series = result.filter(Number.isFinite);
  const step = typicalStep(series);
  let shift = 0, highest = series[0];
  const lowest = -maxOf(series.map((value) => -value));
  for (let i = 1; i < series.length; i++) {
    const fall = series[i] - series[i - 1];
    if (step > 0 && fall < -20 * step) {
      const candidates = PERIODS.flatMap((period) => [1, 1000, 1_000_000].map((scale) => scale * period)).filter(
        (period) => fall + period > 0 && fall + period <= 20 * step && period > 0.98 * (highest - lowest),
      );
      const returns = i + 1 < series.length && series[i + 1] > series[i - 1];
      if (candidates.length && !returns) shift += Math.min(...candidates);
    }
    if (series[i] > highest) highest = series[i];
    result[places[i]] = series[i] + shift;
  }
  return result;
}
