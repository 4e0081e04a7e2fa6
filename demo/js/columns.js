// Which column of a table is which axis of which sensor, and which holds the time: from the names.
// Port of tinystride/reading/columns.py.

import { ReadError, readError } from "./errors.js";
import { COUNTS, unitOf } from "./units.js";

export const FEET = ["left", "right"];
export const AXES = ["acc_x", "acc_y", "acc_z", "gyr_x", "gyr_y", "gyr_z"];
const words = (text) => new Set(text.split(" "));
const ACC_WORDS = words(
  "acc accel accelerometer acceleration accelerations accelero accl accelerometers beschleunigung accelerometre " +
    "acelerometro accelerometro",
);
const GYR_WORDS = words(
  "gyr gyro gyros gyroscope gyroscopes gyrometer omega angvel angularvelocity angularrate rotationrate rateofturn " +
    "turnrate rotrate gyroskop giroscopio drehrate",
);
const GYR_PHRASES = [
  "angular velocity", "angular rate", "rotation rate", "rotational rate", "rotational velocity", "rate of turn",
  "turn rate", "ang vel", "angular vel", "rot rate", "ang rate",
];
const OTHER_WORDS = words(
  "mag magn magnet magneto magnetometer magnetic quat quaternion q dq dv euler mat orientation gravity grav jerk norm " +
    "magnitude bias offset temp temperature position pos velocity vel pressure baro m std mean rot attitude displacement",
);
const WITHOUT_GRAVITY = words("free user nogravity gravityfree");
// Distinguishes several versions of one sensor: the calibrated one, and the range that a foot needs.
const RANKS = {
  cal: 2, calibrated: 2, raw: -2, uncal: -2, uncalibrated: -2, wr: 1, wide: 1, ln: -1, noise: -1, linear: -3, lin: -3,
  highg: -2, high: -2,
};
const FILLERS = new Set([
  ...Object.keys(RANKS), ...words("axis sensor imu data value inertial signal in low range of lowg"),
]);
const FOOT_WORDS = {
  left: words("left l lf lt lfoot leftfoot links gauche"),
  right: words("right r rf rt rfoot rightfoot rechts droite droit"),
};
const ON_FOOT = words("foot feet shoe insole heel toe instep fuss pied");
const TIME_WORDS = words(
  "time times timestamp timestamps timestep t epoch epoc elapsed clock datetime utc seconds sec secs millis " +
    "milliseconds micros microseconds ts unix zeit zeitstempel temps tiempo sampletimefine ms us localtime date timesec timems",
);
const COUNTER_WORDS = words(
  "counter packetcounter packet sample samples index frame frames seq sequence count idx nr no row number",
);
const GLUED =
  /^(acceleration|accelerometer|accel|accl|acc|gyroscope|gyro|gyr|angvel|omega|a|g|w)([xyz])$/;
const AXIS_FIRST = /^([xyz])(accel|acc|gyro|gyr)$/;
const NUMBERED = /^(accelerometer|accel|acc|gyroscope|gyro|gyr|a|g|w)([0-3])$/;

const common = (a, b) => [...a].some((word) => b.has(word));

/** The words of a name in lower case: "GyroX_CAL" → gyro, x, cal. */
export function tokens(name) {
  const spaced = name.replace(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, " ");
  return spaced.toLowerCase().split(/[^0-9a-zA-Zµμ°]+/).filter(Boolean);
}

/** The foot that a name says, e.g. of "walk_LF" or "left_acc_x"; null for neither or both. */
export function footOf(name) {
  const said = FEET.filter((foot) => common(tokens(name), FOOT_WORDS[foot]));
  return said.length === 1 ? said[0] : null;
}

/** The person that a file is named after, so that both feet have the same: its name without the foot. */
export function personOf(file) {
  let stem = file;
  for (let match; (match = /^(.+)\.[A-Za-z][A-Za-z0-9]{0,4}$/.exec(stem)); ) stem = match[1];
  const sides = new Set([...FOOT_WORDS.left, ...FOOT_WORDS.right, "foot"]);
  const parts = stem.replace(/(?<=[a-z])(?=(?:Left|Right)\b)/g, "_").split(/[^0-9A-Za-zÀ-ÿ=+@.\-]+/);
  return parts.filter((word) => word && !sides.has(word.toLowerCase())).join("_") || stem;
}

/** A name and the unit at its end: "Accelerometer X (g)" → ["Accelerometer X", "g"]. */
function nameAndUnit(name, quantities) {
  const tails = [];
  const bracket = /[([{](.*)[)\]}]\s*$/.exec(name);
  if (bracket) tails.push([name.slice(0, bracket.index), bracket[1]]);
  for (const match of name.matchAll(/[_\s,:;/]+/g)) {
    tails.push([name.slice(0, match.index), name.slice(match.index + match[0].length)]);
  }
  for (const [head, tail] of tails) {
    if (!head.trim() || !tail) continue;
    for (const quantity of quantities) {
      const unit = unitOf(tail, quantity);
      if (unit) return [head.trim(), unit];
    }
  }
  return [name, null];
}

/**
 * The meaning of a table's columns: {sensors, times, assumed}.
 * @param table   of text.js
 * @param chosen  {acc_x or left_acc_x or time: name or number from 1}, the user's
 */
export function findColumns(table, chosen, timeColumn) {
  const { name, names, units, width } = table;
  const titles = titlesOf(names, width);
  let best = null, trouble = null;
  for (const row of titles) {
    const channels = row.map((title, number) => channelOf(name, number, title, units[number] || "")).filter(Boolean);
    let sensors;
    try {
      sensors = sensorsOf(name, row, channels);
    } catch (error) {
      if (!(error instanceof ReadError)) throw error;
      trouble = trouble || error;
      continue;
    }
    const score = [
      sensors.filter((s) => s.acc.length && s.gyr.length).length,
      sensors.reduce((total, s) => total + (s.acc.length ? 1 : 0) + (s.gyr.length ? 1 : 0), 0),
    ];
    if (!best || score[0] > best.score[0] || (score[0] === best.score[0] && score[1] > best.score[1])) {
      const lower = new Set(row.map((title) => title.toLowerCase()));
      best = { score, sensors, assumed: !AXES.every((axis) => lower.has(axis)) };
    }
  }
  let sensors, assumed;
  if (Object.keys(chosen).length) {
    sensors = chosenSensors(table, chosen, best ? best.sensors : []);
    assumed = false;
  } else if (!best) throw trouble || missing(name, titles, names);
  else ({ sensors, assumed } = best);
  if (!sensors.some((sensor) => sensor.acc.length || sensor.gyr.length)) throw missing(name, titles, names);
  const wanted = timeColumn || chosen.time;
  let times = timesOf(titles, units, new Set(sensors.flatMap((s) => [...s.acc, ...s.gyr])));
  if (wanted) {
    const number = columnNumber(table, wanted);
    const title = titles.length ? titles[0][number] : wanted;
    times = [{ number, name: title, unit: timeUnit(title, units[number] || ""), counts: false }];
  }
  return { sensors, times, assumed };
}

/** Ways to read the header rows: the last one alone, all together, the first one alone. */
function titlesOf(names, width) {
  if (!names.length) return [];
  const filled = names.map((row, position) => {
    const cells = [...row, ...Array(width).fill("")].slice(0, width);
    if (position < names.length - 1) {
      for (let number = 1; number < width; number++) cells[number] = cells[number] || cells[number - 1];
    }
    return cells;
  });
  const together = filled[0].map((_, i) => filled.map((row) => row[i]).filter(Boolean).join(" "));
  const last = names[names.length - 1];
  const ways = [Array.from({ length: width }, (_, i) => last[i] || ""), together, filled[0]];
  const seen = new Set();
  return ways.filter((way) => {
    const key = way.join("\n");
    return !seen.has(key) && seen.add(key);
  });
}

function channelOf(file, number, name, unitCell) {
  let [title, unit] = nameAndUnit(name, ["acc", "gyr"]);
  if (unitCell) unit = unitOf(unitCell, "acc") || unitOf(unitCell, "gyr") || unit;
  let phrase = tokens(title).join(" ");
  for (const gyr of GYR_PHRASES) phrase = phrase.replace(new RegExp(`\\b${gyr}\\b`, "g"), "gyr");
  let sensor = null, axis = null, rank = 0;
  const rest = [];
  for (const word of phrase.split(" ").filter(Boolean)) {
    let match = GLUED.exec(word) || NUMBERED.exec(word);
    let stem = match && match[1], at = match && match[2];
    if (!match && (match = AXIS_FIRST.exec(word))) [, at, stem] = match;
    if (ACC_WORDS.has(word) || GYR_WORDS.has(word)) sensor = sensor || (ACC_WORDS.has(word) ? "acc" : "gyr");
    else if (word === "x" || word === "y" || word === "z") axis = "xyz".indexOf(word);
    else if (match && axis === null) {
      axis = /\d/.test(at) ? Number(at) : "xyz".indexOf(at);
      sensor = sensor || (stem[0] === "a" && stem !== "angvel" ? "acc" : "gyr");
    } else if (OTHER_WORDS.has(word)) return null;
    else if (FILLERS.has(word)) rank += RANKS[word] || 0;
    else if (WITHOUT_GRAVITY.has(word)) rank -= 100;
    else rest.push(word);
  }
  if (axis === null && sensor && rest.length && /^[0-3]$/.test(rest[rest.length - 1])) axis = Number(rest.pop());
  if (axis === null) return null;
  if (!sensor && unit && unit !== COUNTS) sensor = unitOf(unit, "acc") ? "acc" : "gyr";
  if (!sensor && rest.length === 1 && ["a", "g", "w"].includes(rest[0])) sensor = rest.pop() === "a" ? "acc" : "gyr";
  if (!sensor) {
    // Columns x, y, z in a file that is named after its sensor.
    const ofFile = new Set(tokens(file.replace(/\.[^.]*$/, "")));
    const said = [["acc", ACC_WORDS], ["gyr", GYR_WORDS]].filter(([, kind]) => common(ofFile, kind));
    if (said.length !== 1 || ofFile.has("mag") || ofFile.has("magnetometer")) return null;
    sensor = said[0][0];
  }
  if (unit && unit !== COUNTS && !unitOf(unit, sensor)) return null;
  const foot = FEET.find((side) => common(rest, FOOT_WORDS[side])) || null;
  const key = rest.filter((word) => !foot || !FOOT_WORDS[foot].has(word)).join(" ");
  return { number, sensor, axis, foot, key, rank, unit };
}

/** Complete triples of channels, combined to sensors. */
function sensorsOf(file, row, channels) {
  const accs = channels.filter((c) => c.sensor === "acc");
  if (accs.length && accs.every((c) => c.rank <= -50)) {
    throw readError(
      file, `gravity was removed from its acceleration (${row[accs[0].number]})`,
      "export the acceleration with gravity, as the sensor measures it",
    );
  }
  const triples = new Map();
  for (const c of channels.filter((channel) => channel.rank > -50)) {
    const id = JSON.stringify([c.foot, c.key, c.sensor]);
    if (!triples.has(id)) triples.set(id, { foot: c.foot, key: c.key, sensor: c.sensor, axes: new Map() });
    const { axes } = triples.get(id);
    const other = axes.get(c.axis);
    if (other && other.rank === c.rank) {
      throw readError(file, `has the column '${row[c.number]}' more than once`, "keep one of them");
    }
    if (!other || c.rank > other.rank) axes.set(c.axis, c);
  }
  const whole = [...triples.values()].filter((triple) => {
    const found = [...triple.axes.keys()].sort().join("");
    if (found === "123") triple.axes = new Map([1, 2, 3].map((axis) => [axis - 1, triple.axes.get(axis)]));
    return found === "012" || found === "123";
  });
  const sensors = [];
  for (const foot of [...FEET, null]) {
    const sides = { acc: new Map(), gyr: new Map() };
    for (const triple of whole) if (triple.foot === foot) sides[triple.sensor].set(triple.key, triple.axes);
    let both = [...sides.acc.keys()].filter((key) => sides.gyr.has(key)).sort();
    if (!both.length && sides.acc.size === 1 && sides.gyr.size === 1) {
      const [[key, acc]] = sides.acc;
      const [[, gyr]] = sides.gyr;
      sensors.push(sensorOf(foot, key, acc, gyr));
      continue;
    }
    if (both.length > 1) {
      const onFoot = both.filter((key) => common(key.split(" "), ON_FOOT));
      both = onFoot.length ? onFoot : both;
    }
    if (both.length > 1) {
      throw readError(
        file, `contains several sensors (${both.map((key) => key || "unnamed").join(", ")})`,
        "choose one under Options, Columns: acc_x=NAME, acc_y=NAME, …",
      );
    }
    if (both.length) sensors.push(sensorOf(foot, both[0], sides.acc.get(both[0]), sides.gyr.get(both[0])));
    else if (sides.acc.size || sides.gyr.size) {
      sensors.push(sensorOf(foot, "", [...sides.acc.values()][0], [...sides.gyr.values()][0]));
    }
  }
  const complete = sensors.filter((sensor) => sensor.acc.length && sensor.gyr.length);
  const withFoot = complete.filter((sensor) => sensor.foot);
  return withFoot.length ? withFoot : complete.length ? complete : sensors;
}

function sensorOf(foot, label, acc, gyr) {
  const numbers = (axes) => (axes ? [0, 1, 2].map((axis) => axes.get(axis).number) : []);
  return {
    foot, label, acc: numbers(acc), gyr: numbers(gyr),
    accUnit: acc ? acc.get(0).unit : null, gyrUnit: gyr ? gyr.get(0).unit : null,
  };
}

function chosenSensors(table, chosen, found) {
  const { names, width } = table;
  const sensors = [];
  for (const foot of [null, ...FEET]) {
    const prefix = foot ? `${foot}_` : "";
    let numbers = {};
    for (const axis of AXES) if (chosen[prefix + axis]) numbers[axis] = columnNumber(table, chosen[prefix + axis]);
    if (!Object.keys(numbers).length) continue;
    const other = found.find((sensor) => sensor.foot === foot);
    if (other && other.acc.length && other.gyr.length) {
      // A choice of some axes completes what the names say.
      const named = [...other.acc, ...other.gyr];
      numbers = { ...Object.fromEntries(AXES.map((axis, i) => [axis, named[i]])), ...numbers };
    }
    const lacking = AXES.find((axis) => !(axis in numbers));
    if (lacking) throw readError("Options, Columns", `lacks ${prefix}${lacking}`, `name all of ${AXES.join(", ")}`);
    const title = names.length ? titlesOf(names, width)[0] : Array(width).fill("");
    const values = AXES.map((axis) => numbers[axis]);
    sensors.push({
      foot, label: "", acc: values.slice(0, 3), gyr: values.slice(3),
      accUnit: nameAndUnit(title[numbers.acc_x], ["acc"])[1],
      gyrUnit: nameAndUnit(title[numbers.gyr_x], ["gyr"])[1],
    });
  }
  return sensors.length ? sensors : found;
}

/** The number, from 0, of the column that the user names, or numbers from 1. */
function columnNumber(table, wanted) {
  const { name, names, width } = table;
  const text = wanted.trim();
  for (const row of [...titlesOf(names, width), ...names]) {
    const places = row.flatMap((cell, i) => (cell.trim().toLowerCase() === text.toLowerCase() ? [i] : []));
    if (places.length > 1) {
      throw readError(name, `has several columns '${text}'`, `name them by their numbers from 1 to ${width}`);
    }
    if (places.length) return places[0];
  }
  if (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= width) return Number(text) - 1;
  throw readError(name, `has no column '${text}'`, remedy(titlesOf(names, width), width));
}

/** Columns that may hold the time; those that count samples are marked. */
function timesOf(titles, units, taken) {
  const found = new Map();
  for (const row of titles.slice(0, 2)) {
    row.forEach((name, number) => {
      if (taken.has(number) || found.has(number)) return;
      const said = new Set(tokens(name));
      const unnamed = number === 0 && [...said].every((word) => ["unnamed", "0", "axis", "sensor"].includes(word));
      const timed = [...said].some((word) => TIME_WORDS.has(word) && word !== "t");
      const counts = (common(said, COUNTER_WORDS) && !timed) || (said.size === 1 && said.has("axis"));
      if (unnamed || counts || common(said, TIME_WORDS) || tokens(name).join(" ").includes("sample time fine")) {
        found.set(number, { number, name: name || "first column", unit: timeUnit(name, units[number] || ""), counts });
      }
    });
  }
  return [...found.values()];
}

function timeUnit(name, unitCell) {
  const unit = (unitCell && unitOf(unitCell, "time")) || nameAndUnit(name, ["time"])[1];
  if (unit) return unit;
  const said = new Set(tokens(name));
  const spelled = [
    ["us", words("microsec micros microseconds usec us")],
    ["ms", words("millisec millis milliseconds msec ms")],
    ["ns", words("nanosec nanos nanoseconds ns")],
    ["s", words("seconds sec secs")],
  ];
  const found = spelled.find(([, spellings]) => common(said, spellings));
  return found ? found[0] : null;
}

function missing(file, titles, names) {
  if (!names.length) {
    return readError(
      file, "has no column names",
      "number them under Options, Columns: time=1, acc_x=2, acc_y=3, acc_z=4, gyr_x=5, gyr_y=6, gyr_z=7",
    );
  }
  return readError(file, "has no columns of an accelerometer and a gyroscope", remedy(titles, 0));
}

function remedy(titles, width) {
  const cells = (titles[0] || []).filter(Boolean);
  if (!cells.length) return `its columns have the numbers 1 to ${width}`;
  const shown = cells.slice(0, 12).join(", ") + (cells.length > 12 ? ", …" : "");
  return `name them under Options, Columns: acc_x=NAME, …; it has ${shown}`.slice(0, 400);
}
