// Units of acceleration, angular rate and time, from their names. Port of tinystride/reading/units.py.

export const GRAVITY_MPS2 = 9.80665;
export const ACC_UNITS = { "m/s2": 1.0, g: GRAVITY_MPS2, mg: GRAVITY_MPS2 / 1000 };
export const GYR_UNITS = { "rad/s": 1.0, "deg/s": Math.PI / 180, "mdeg/s": Math.PI / 180000 };
export const TIME_UNITS = { s: 1.0, ms: 1e-3, us: 1e-6, ns: 1e-9 };
export const COUNTS = "counts";

// How a unit may be written, without spaces and brackets, in lower case.
const PATTERNS = {
  acc: {
    "m/s2": "m\\/?\\.?·?\\*?\\(?s(ec)?(\\^2|\\*\\*2|2|²|-2|\\^-2|⁻²|\\/s|\\^\\(-2\\))\\)?|mps2|m(eters?)?\\/\\(?s(\\^?2|²)\\)?",
    g: "gs?|g's|gn|g0|g-?force|gforce",
    mg: "mgs?|milli-?gs?",
  },
  gyr: {
    "rad/s": "rad(ians?)?[\\/.·*]?(s|sec)(-1|\\^-1|⁻¹)?|radps|rads|rad(ians)?persec(ond)?",
    "deg/s": "(deg(rees?)?|°|º|˚|\\ufffd|⁰)[\\/.·*]?(s|sec)(-1|\\^-1|⁻¹)?|dps|degps|deg(rees)?persec(ond)?",
    "mdeg/s": "(m(illi)?deg(rees?)?|m°)\\/?(s|sec)|mdps|mdegps",
  },
  time: {
    s: "s|secs?|seconds?",
    ms: "ms|msecs?|milli-?(s|secs?|seconds?)",
    us: "us|µs|μs|usecs?|micro-?(s|secs?|seconds?)",
    ns: "ns|nsecs?|nano-?(s|secs?|seconds?)",
  },
};
const OTHER = new RegExp(
  "^(?:[uµμnm]?t(esla)?|gauss|mgauss|ut|°c|º?c|degc|degreec(elsius)?|celsius|mbar|h?pa|kpa|%|v|mv|mvolts?|deg|°|n\\/a|" +
    "nounits?|none|-|date|iso|yyyy\\S*|hh:mm\\S*|a\\.?u\\.?|local_flux|m|mm|quat(ernion)?)$",
);
const NO_UNIT = /^(?:counts?|lsb|raw|adc|digits?|nounits?)$/;
const COMPILED = Object.fromEntries(
  Object.entries(PATTERNS).map(([quantity, units]) => [
    quantity,
    Object.entries(units).map(([unit, pattern]) => [unit, new RegExp(`^(?:${pattern})$`)]),
  ]),
);

function plain(text) {
  const bare = text.trim().replace(/^[[\]{}]+|[[\]{}]+$/g, "").trim().toLowerCase().replace(/\s+/g, "");
  return bare.startsWith("(") && bare.endsWith(")") ? bare.slice(1, -1) : bare;
}

/** The unit of "acc", "gyr" or "time" that `text` spells, e.g. "m/(s^2)" → "m/s2"; else null. */
export function unitOf(text, quantity) {
  const bare = plain(text);
  if (quantity !== "time" && NO_UNIT.test(bare)) return COUNTS;
  const found = COMPILED[quantity].find(([, pattern]) => pattern.test(bare));
  return found ? found[0] : null;
}

/** Whether a header cell spells a unit of any quantity, or says that it has no unit. */
export function isUnit(text) {
  if (Object.keys(COMPILED).some((quantity) => unitOf(text, quantity))) return true;
  return ["[]", "()", "-"].includes(text.trim()) || OTHER.test(plain(text));
}
