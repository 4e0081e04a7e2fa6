// Strides to a table, csv and a summary: the columns and digits of `tinystride predict --engine c`, as far as they come
// from the C library alone. Port of parts of tinystride/results.py, gait/bouts.py and summary.py.

import { deviation, median, rint, rounded, sum } from "./numbers.js";

const INTERVAL_SD = 1.96;
// A rest of more than this ends a walking bout.
const MAX_PAUSE_S = 3;
const SAME_INSTANT_S = 1e-6;
const FORMULA_SIGNS = ["=", "+", "-", "@", "\t", "\r"];
export const COLUMNS = [
  "start_s", "end_s", "duration_s", "stride_length_cm", "strapdown_length_cm", "flags", "quality", "steady",
  "stride_length_low_cm", "stride_length_high_cm", "repaired_deg", "foot", "bout", "position", "time_start", "recording", "person",
];

/** Rows of the table for the strides of one foot, in order of time. `recording`: {foot, rateHz, name, person, …}. */
export function tableRows(recording, strides) {
  const rows = strides.map((stride) => ({
    start_s: (stride.start_sample + stride.start_fraction) / recording.rateHz,
    end_s: (stride.end_sample + stride.end_fraction) / recording.rateHz,
    duration_s: stride.duration_s,
    stride_length_cm: stride.length_cm,
    strapdown_length_cm: stride.strapdown_length_cm,
    flags: stride.flags,
    quality: stride.flags || "ok",
    steady: false,
    stride_length_low_cm: stride.length_cm - INTERVAL_SD * stride.length_sd_cm,
    stride_length_high_cm: stride.length_cm + INTERVAL_SD * stride.length_sd_cm,
    repaired_deg: stride.repaired_deg, // undefined in libraries that do not report it
    foot: recording.foot,
    bout: 1,
    position: "middle",
    time_start: "",
    recording: recording.name,
    person: recording.person,
    turn_rad: stride.turn_rad || 0, // for the drawing; not in the csv
  }));
  let bout = 1;
  rows.forEach((row, i) => {
    const before = i ? row.start_s - rows[i - 1].end_s : Infinity;
    const after = i + 1 < rows.length ? rows[i + 1].start_s - row.end_s : Infinity;
    if (i && before > MAX_PAUSE_S) bout++;
    row.bout = bout;
    const [first, last] = [before > SAME_INSTANT_S, after > SAME_INSTANT_S];
    row.position = first && last ? "only" : first ? "first" : last ? "last" : "middle";
    row.steady = !row.flags && row.position === "middle";
    row.time_start = fileTime(recording, row.start_s);
  });
  return rows;
}

/** A time on the file's own clock: ISO 8601 if that counts seconds since 1970; "" without a clock. */
function fileTime({ clock, startS }, secondS) {
  if (!Number.isFinite(startS)) return "";
  const seconds = startS + secondS;
  if (clock !== "utc") return fixed4(seconds);
  let whole = Math.floor(seconds);
  let micros = rint((seconds - whole) * 1e6);
  if (micros >= 1e6) [whole, micros] = [whole + 1, micros - 1e6];
  return new Date(whole * 1000 + Math.floor(micros / 1000)).toISOString();
}

/** Four decimals; an exact half is rounded to the even digit, as in Python. */
function fixed4(x) {
  return Math.abs(32 * x) % 2 === 1 ? rounded(x, 4).toFixed(4) : x.toFixed(4);
}

/** The table as csv: seconds to 4 decimals, cm to 2; no text that a spreadsheet would run. */
export function resultCsv(rows) {
  const columns = COLUMNS.filter((name) => rows.every((row) => row[name] !== undefined));
  const lines = rows.map((row) => columns.map((name) => cell(name, row[name])).join(","));
  return [columns.join(","), ...lines].join("\n") + "\n";
}

function cell(name, value) {
  if (name === "bout") return String(value);
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") {
    const number = rounded(value, /_(cm|deg)$/.test(name) ? 2 : 4);
    if (Number.isNaN(number)) return "";
    return Number.isInteger(number) ? `${Object.is(number, -0) ? "-" : ""}${number}.0` : String(number);
  }
  let text = value;
  if ((name === "recording" || name === "person") && FORMULA_SIGNS.some((sign) => text.startsWith(sign))) text = `'${text}`;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Counts, distance and means of each recording: the keys of `tinystride predict --summary`, as far as they apply. */
export function summarise(recordings, rows) {
  return {
    recordings: recordings.map((recording) => {
      const own = rows.filter((row) => row.recording === recording.name && row.foot === recording.foot);
      const bouts = [...new Set(own.map((row) => row.bout))].map((bout) => own.filter((row) => row.bout === bout));
      return {
        recording: recording.name,
        person: recording.person,
        foot: recording.foot,
        found_by_the_reader: recording.notes,
        strides: counts(own),
        distance_m: distance(own),
        bouts: bouts.map((bout) => ({
          start_s: rounded(bout[0].start_s, 4),
          end_s: rounded(bout[bout.length - 1].end_s, 4),
          strides: bout.length,
          distance_m: distance(bout),
        })),
        parameters: parameters(own),
      };
    }),
  };
}

function counts(rows) {
  const reasons = {};
  for (const row of rows) {
    const position = row.position === "middle" ? [] : [`${row.position} of a walk`];
    for (const reason of [...position, ...row.flags.split(" ").filter(Boolean)]) reasons[reason] = (reasons[reason] || 0) + 1;
  }
  return {
    found: rows.length,
    steady: rows.filter((row) => row.steady).length,
    unflagged: rows.filter((row) => !row.flags).length,
    left_out: Object.fromEntries(Object.entries(reasons).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

function distance(rows) {
  const usable = rows.filter((row) => row.flags === "" || row.flags === "turn");
  return rounded(usable.reduce((total, row) => total + row.stride_length_cm, 0) / 100, 3);
}

/**
 * Statistics over steady strides, {} without any. The means of length and speed weigh each stride by 1 / SD². Cadence
 * and speed are from mid-stance to mid-stance: two steps in `duration_s`.
 */
export function parameters(rows) {
  const steady = rows.filter((row) => row.steady);
  if (!steady.length) return {};
  const widths = steady.map((row) => row.stride_length_high_cm - row.stride_length_low_cm);
  const weights = widths.map((width) => (widths.every((other) => other > 0) ? width ** -2 : 1));
  const equal = widths.map(() => 1);
  return {
    stride_length_cm: statistics(steady.map((row) => row.stride_length_cm), weights),
    duration_s: statistics(steady.map((row) => row.duration_s), equal),
    cadence_from_duration_spm: statistics(steady.map((row) => 120 / row.duration_s), equal),
    speed_from_duration_mps: statistics(steady.map((row) => row.stride_length_cm / 100 / row.duration_s), weights),
  };
}

function statistics(values, weights) {
  const sd = values.length > 1 ? deviation(values, 1) : null;
  const centre = sum(values.map((value, i) => value * weights[i])) / sum(weights);
  return {
    n: values.length,
    mean: rounded(centre, 4),
    sd: sd === null ? null : rounded(sd, 4),
    cv_percent: sd === null ? null : rounded((100 * sd) / Math.abs(centre), 3),
    median: rounded(median(values), 4),
  };
}
