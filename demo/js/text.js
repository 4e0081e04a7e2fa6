// Text files to tables: encoding, separator, decimal sign, header rows, comments, cut lines.
// Port of tinystride/reading/text.py.

import { readError } from "./errors.js";
import { median } from "./numbers.js";
import { isUnit } from "./units.js";

const MAX_BYTES = 400_000_000;
const MAX_COLUMNS = 5_000;
const HEAD_BYTES = 512_000;
const HEAD_LINES = 2_000;
const MAX_HEADER_ROWS = 5;
const SEPARATORS = [",", ";", "\t", "|", " "];
// More blank lines than this share are a habit of the writer, not lost samples.
const MAX_BLANK_SHARE = 0.2;
const NUMBER = /^[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?$/;
const MISSING = new Set([
  "", "nan", "na", "n/a", "null", "none", "inf", "-inf", "+inf", "-", "--", "?", "#n/a", "<na>", "-nan",
]);
const COMMENT_LINE = /^\s*(?:#|\/\/|%)/;
// Beginnings of files that are no text, and what they are.
const MAGIC = [
  ["%PDF", "a PDF"],
  ["PK\x03\x04", "a zip archive or an Excel workbook"],
  ["\xd0\xcf\x11\xe0", "an old Excel workbook"],
  ["\x89HDF", "HDF5"],
  ["MATLAB 5.0 MAT-file", "a MATLAB file"],
  ["\x89PNG", "a picture"],
  ["\xff\xd8\xff", "a picture"],
  ["PAR1", "a Parquet file"],
  ["{\\rtf", "a word processor's document"],
];
const LF = 10, CR = 13, SPACE = 32, TAB = 9, QUOTE = 34, HASH = 35, POINT = 46, COMMA = 44;
const PROGRESS_ROWS = 1 << 15;
const POWERS = Array.from({ length: 23 }, (_, i) => 10 ** i);

/**
 * The table in a text file: header rows, units, and a reader of columns.
 * @param name  file name, for messages
 * @param data  Uint8Array, the file, already unpacked
 */
export function readText(name, data) {
  const bytes = asUtf8(name, data);
  const whole = bytes[bytes.length - 1] === LF;
  let head = bytes.subarray(0, HEAD_BYTES);
  if (bytes.length > head.length) {
    head = head.subarray(0, head.lastIndexOf(LF) + 1);
    if (!head.length) {
      throw readError(name, "its first line is longer than 500 kB", "export the recording with one sample a line");
    }
  }
  const lines = new TextDecoder().decode(head).split("\n").slice(0, HEAD_LINES).map((line) => line.replace(/\r+$/, ""));
  const { separator, width, numbers } = layout(name, lines);
  const first = firstRow(lines, separator, width, numbers);
  if (first < 0) throw readError(name, "contains no rows of numbers", "give a table with one sample a line");
  const decimal = decimalSign(lines.slice(first, first + 200).map((line) => split(line, separator)));
  const [rows, begin] = header(lines, first, separator, width);
  const [names, units] = unitsApart(rows, width);
  let end = bytes.length;
  while (end && [SPACE, CR, LF, 0, 26].includes(bytes[end - 1])) end--;
  const start = offsetOfLine(bytes, first);
  const notes = [];
  const body = bytes.subarray(start, end);
  const comments = countComments(body);
  const cut = cutLine(body, separator, width, whole);
  if (cut >= 0) notes.push("incomplete last line dropped");
  const rest = cut >= 0 ? body.subarray(0, cut) : body;
  const skipped = lines.slice(0, begin).filter((line) => stripped(line, separator)).length;
  if (skipped || comments) {
    const parts = [skipped ? `${skipped} before the header` : "", comments ? `${comments} comments` : ""];
    notes.push("lines skipped: " + parts.filter(Boolean).join(", "));
  }
  return {
    name, names, units, width, notes,
    preamble: lines.slice(0, first),
    firstLine: first + 1,
    columns: (numbers, progress) => parseColumns(rest, numbers, { separator, decimal, width }, progress),
    textColumn: (number) => parseText(rest, number, { separator, width }),
  };
}

function stripped(line, separator) {
  return [...line].some((sign) => !" \t\ufeff".includes(sign) && sign !== separator);
}

/** The text in UTF-8, without byte order mark, with \n at the ends of lines. */
function asUtf8(name, data) {
  if (data.length > MAX_BYTES) {
    throw readError(
      name, `contains more than ${MAX_BYTES / 1e6} MB of text`,
      "split it into recordings of a few hours, or keep the columns of one sensor",
    );
  }
  const beginning = String.fromCharCode(...data.subarray(0, 24));
  for (const [magic, what] of MAGIC) {
    if (beginning.startsWith(magic)) {
      throw readError(name, `is ${what}, not a text table`, "export the recording as csv");
    }
  }
  const head = data.subarray(0, HEAD_BYTES);
  if (beginning.startsWith("\xef\xbb\xbf")) {
    data = data.subarray(3);
  } else if (beginning.startsWith("\xff\xfe") || beginning.startsWith("\xfe\xff")) {
    data = recoded(data.subarray(2), beginning.startsWith("\xff\xfe") ? "utf-16le" : "utf-16be");
  } else if (head.includes(0)) {
    const zeros = [0, 0];
    for (let i = 0; i + 1 < head.length; i += 2) {
      if (head[i] === 0) zeros[0]++;
      if (head[i + 1] === 0) zeros[1]++;
    }
    const shares = zeros.map((count) => count / Math.max(1, head.length >> 1));
    if (Math.max(...shares) < 0.4 || Math.min(...shares) > 0.1) {
      throw readError(name, "is not text", "export the recording as csv");
    }
    data = recoded(data, shares[1] > shares[0] ? "utf-16le" : "utf-16be");
  } else {
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true });
    } catch {
      data = recoded(data, "windows-1252");
    }
  }
  if (!data.some((byte) => byte > SPACE)) throw readError(name, "is empty", "export the recording again");
  const start = data.subarray(0, HEAD_BYTES);
  let odd = 0;
  for (const byte of start) if (byte < 32 && byte !== TAB && !(byte >= 10 && byte <= 13) && byte !== 26 && byte) odd++;
  odd += new TextDecoder().decode(start, { stream: true }).split("\ufffd").length - 1;
  if (odd > Math.max(3, 0.002 * start.length)) throw readError(name, "is not text", "export the recording as csv");
  if (start.includes(CR) && !start.includes(LF)) data = data.map((byte) => (byte === CR ? LF : byte));
  return data;
}

function recoded(data, encoding) {
  return new TextEncoder().encode(new TextDecoder(encoding).decode(data));
}

function split(line, separator) {
  let cells;
  if (separator === " ") return line.split(/\s+/).filter(Boolean);
  if (line.includes('"')) {
    cells = [];
    let cell = "", quoted = false;
    for (const sign of line) {
      if (sign === '"') quoted = !quoted;
      else if (sign === separator && !quoted) {
        cells.push(cell);
        cell = "";
      } else cell += sign;
    }
    cells.push(cell);
  } else cells = line.split(separator);
  return cells.map((cell) => cell.replace(/^[ \t"'\ufeff]+|[ \t"'\ufeff]+$/g, ""));
}

function countNumbers(cells) {
  return cells.filter((cell) => NUMBER.test(cell)).length;
}

/** Separator, number of columns, and the median count of numbers in a row, of rows near the end of the head. */
function layout(name, lines) {
  const none = () => readError(name, "contains no rows of numbers", "give a table with one sample a line");
  const tooWide = () =>
    readError(name, `has more than ${MAX_COLUMNS} columns`, "keep the columns of the sensors on the feet");
  let body = lines.filter((line) => line.trim() && !COMMENT_LINE.test(line));
  if (!body.length) throw none();
  if (body[0].toLowerCase().replaceAll('"', "").startsWith("sep=") && body.length > 1) body = body.slice(1);
  const sample = body.slice(-Math.max(1, Math.min(100, (body.length >> 1) + 1)));
  if (sample.some((line) => line.length > 50 * MAX_COLUMNS)) throw tooWide();
  let best = null;
  for (const separator of SEPARATORS) {
    const rows = sample.map((line) => split(line, separator));
    const counts = new Map();
    for (const row of rows) counts.set(row.length, (counts.get(row.length) || 0) + 1);
    const [width, count] = [...counts].sort((a, b) => b[1] - a[1] || b[0] - a[0])[0];
    const numbers = median(rows.map(countNumbers));
    const share = count / rows.length;
    if (!best || numbers > best.numbers || (numbers === best.numbers && share > best.share)) {
      best = { numbers, share, separator, width };
    }
  }
  if (best.width > MAX_COLUMNS) throw tooWide();
  if (best.numbers < 2) throw none();
  return best;
}

/** Index of the first line that is a row of numbers; -1: none. */
function firstRow(lines, separator, width, numbers) {
  return lines.findIndex((line) => {
    if (!line.trim() || COMMENT_LINE.test(line)) return false;
    const cells = split(line, separator);
    if (Math.abs(cells.length - width) > 1 || countNumbers(cells) < Math.max(2, 0.6 * numbers)) return false;
    // Names of columns that are numbers: 0, 1, 2, … or 1, 2, 3, …
    return !(cells.every((cell, i) => cell === String(i)) || cells.every((cell, i) => cell === String(i + 1)));
  });
}

function decimalSign(rows) {
  let commas = 0, points = 0;
  for (const row of rows) {
    for (const cell of row) {
      if (!NUMBER.test(cell)) continue;
      if (cell.includes(",")) commas++;
      if (cell.includes(".")) points++;
    }
  }
  return commas > points ? "," : ".";
}

/** Header rows above line `first`, from top to bottom, and the index of the line where they begin. */
function header(lines, first, separator, width) {
  const rows = [];
  let begin = first;
  for (let index = first - 1; index >= 0; index--) {
    const line = lines[index];
    if (COMMENT_LINE.test(line) || (!rows.length && !line.trim())) continue;
    let cells = split(line, separator);
    const wide = [...cells];
    while (wide.length && !wide[wide.length - 1]) wide.pop();
    if (!wide.length || wide.length > width || cells.length < width - 1 || rows.length === MAX_HEADER_ROWS) break;
    if (wide.every((cell) => MISSING.has(cell.toLowerCase()) || NUMBER.test(cell))) {
      begin = index; // a row without a sample, e.g. NaN
      continue;
    }
    // A table whose rows begin with a name that has no header, as R writes it.
    const last = split(lines[first], separator);
    if (cells.length === width - 1 && wide.length === width - 1 && last[last.length - 1]) cells = ["", ...cells];
    rows.unshift([...cells, ...Array(width).fill("")].slice(0, width));
    begin = index;
  }
  if (rows.length) return [rows, begin];
  for (let index = first - 1; index >= 0; index--) {
    if (COMMENT_LINE.test(lines[index])) {
      const cells = split(lines[index].replace(/^[ \t#/%]+/, ""), separator);
      if (cells.length === width && !cells.some((cell) => NUMBER.test(cell))) return [[cells], index];
    }
    break;
  }
  return [[], begin];
}

/** Rows of names, and units: a row in which most cells are units is the row of units. */
function unitsApart(rows, width) {
  const names = [];
  let units = Array(width).fill("");
  rows.forEach((row, position) => {
    const cells = row.filter(Boolean);
    const above = names[names.length - 1];
    if (cells.length && position && cells.filter(isUnit).length > 0.6 * cells.length) {
      units = row;
    } else if (position && cells.length === 1 && rows[position - 1].length > 2) {
      names[names.length - 1] = row.map((own, i) => own || above[i]);
    } else if (position && cells.length && cells.every((cell) => ["RAW", "CAL", "UNCAL"].includes(cell.toUpperCase()))) {
      names[names.length - 1] = row.map((own, i) => `${above[i]} ${own}`.trim());
    } else names.push(row);
  });
  return [names, units];
}

function offsetOfLine(bytes, line) {
  let offset = 0;
  for (; line > 0; line--) offset = bytes.indexOf(LF, offset) + 1;
  return offset;
}

function isComment(bytes, at, end) {
  while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at++;
  return at < end && (bytes[at] === HASH || bytes[at] === 37 || (bytes[at] === 47 && bytes[at + 1] === 47));
}

function countComments(body) {
  let count = 0;
  for (let at = 0; at >= 0 && at < body.length; ) {
    let end = body.indexOf(LF, at);
    if (end < 0) end = body.length;
    if (isComment(body, at, end)) count++;
    at = end + 1;
  }
  return count;
}

/** Where a last line begins that was not written to its end; -1 if the last line is whole. */
function cutLine(body, separator, width, whole) {
  const at = body.lastIndexOf(LF);
  if (at < 0) return -1;
  const decoder = new TextDecoder();
  const last = split(decoder.decode(body.subarray(at + 1)), separator);
  const previous = body.lastIndexOf(LF, at - 1);
  const before = split(decoder.decode(body.subarray(previous + 1, at)).replace(/\r$/, ""), separator);
  let short = last.length < Math.min(width, before.length);
  if (!short && !whole && last.length === before.length && before[before.length - 1].includes(".")) {
    // As many cells, but the last number may have lost digits.
    const digits = [last, before].map((cells) => (cells[cells.length - 1].split(".")[1] || "").length);
    short = digits[0] < digits[1] - 1;
  }
  return short ? at : -1;
}

/** Calls back with the start and end of each row, without comments; of blank lines as many as count. */
function eachLine(body, use) {
  let blank = 0, lines = 0;
  for (let at = 0; at < body.length; lines++) {
    let end = body.indexOf(LF, at);
    if (end < 0) end = body.length;
    let i = at;
    while (i < end && (body[i] === SPACE || body[i] === TAB || body[i] === CR)) i++;
    if (i === end) blank++;
    at = end + 1;
  }
  const skipBlank = blank > MAX_BLANK_SHARE * lines;
  for (let at = 0; at < body.length; ) {
    let end = body.indexOf(LF, at);
    if (end < 0) end = body.length;
    const next = end + 1;
    if (end > at && body[end - 1] === CR) end--;
    if (!isComment(body, at, end)) {
      let i = at;
      while (skipBlank && i < end && (body[i] === SPACE || body[i] === TAB)) i++;
      if (!skipBlank || i < end) use(at, end);
    }
    at = next;
  }
}

/**
 * Columns as Float64Array, NaN where there is no number: {number: values}.
 * In a table with more cells than columns times rows, a line with too many is a lost sample: NaN in all columns.
 */
function parseColumns(body, numbers, { separator, decimal, width }, progress) {
  let rows = 1;
  for (let at = body.indexOf(LF); at >= 0; at = body.indexOf(LF, at + 1)) rows++;
  const wanted = Array(width).fill(null);
  const columns = {};
  for (const number of numbers) columns[number] = wanted[number] = new Float64Array(rows).fill(NaN);
  const code = separator.charCodeAt(0);
  const spaced = separator === " ";
  const quoting = hasPairedQuotes(body);
  const overlong = [];
  let row = 0;
  eachLine(body, (start, end) => {
    if (progress && row % PROGRESS_ROWS === 0) progress(row / rows);
    let cell = 0, at = start;
    while (at <= end) {
      if (spaced) {
        while (at < end && (body[at] === SPACE || body[at] === TAB)) at++;
        if (at >= end && cell) break;
      }
      let stop = at, quoted = false;
      for (; stop < end; stop++) {
        const sign = body[stop];
        if (sign === QUOTE) quoted = quoting && !quoted;
        else if (!quoted && (spaced ? sign === SPACE || sign === TAB : sign === code)) break;
        else if (sign === HASH) end = stop; // the rest of the line is a comment
      }
      if (cell < width && wanted[cell]) wanted[cell][row] = number(body, at, stop, decimal === ",");
      cell++;
      at = stop + 1;
    }
    if (cell > width) overlong.push(row);
    row++;
  });
  if (overlong.length && isOverfull(body, code, width)) {
    for (const place of overlong) for (const number of numbers) columns[number][place] = NaN;
  }
  for (const number of numbers) columns[number] = columns[number].subarray(0, row);
  return columns;
}

/** Whether each line has an even number of quotes, so that they enclose cells. */
function hasPairedQuotes(body) {
  if (!body.includes(QUOTE)) return false;
  let paired = true;
  eachLine(body, (start, end) => {
    let quotes = 0;
    for (let i = start; i < end; i++) if (body[i] === QUOTE) quotes++;
    if (quotes % 2) paired = false;
  });
  return paired;
}

/** Whether a table without quotes has more cells than columns times rows. */
function isOverfull(body, code, width) {
  if (code === SPACE || body.includes(QUOTE)) return false;
  let lines = 0, separators = 0;
  eachLine(body, (start, end) => {
    lines++;
    for (let i = start; i < end; i++) if (body[i] === code) separators++;
  });
  return separators > lines * (width - 1);
}

/** The number that bytes spell, correctly rounded; NaN if they spell none. */
function number(bytes, at, end, comma) {
  while (at < end && (bytes[at] === SPACE || bytes[at] === TAB || bytes[at] === QUOTE || bytes[at] === 39)) at++;
  while (end > at && (bytes[end - 1] === SPACE || bytes[end - 1] === TAB || bytes[end - 1] === QUOTE || bytes[end - 1] === 39)) end--;
  const start = at;
  const negative = bytes[at] === 45;
  if (negative || bytes[at] === 43) at++;
  let mantissa = 0, digits = 0, decimals = 0, exponent = 0, seen = false;
  for (; at < end; at++) {
    const sign = bytes[at];
    if (sign >= 48 && sign <= 57) {
      mantissa = mantissa * 10 + (sign - 48);
      if (mantissa) digits++;
      if (seen) decimals++;
    } else if (!seen && (sign === POINT || (comma && sign === COMMA))) seen = true;
    else break;
  }
  const signs = at - start - (seen ? 1 : 0) - (negative || bytes[start] === 43 ? 1 : 0);
  if (!signs) return NaN;
  if (at < end && (bytes[at] === 101 || bytes[at] === 69)) {
    at++;
    const below = bytes[at] === 45;
    if (below || bytes[at] === 43) at++;
    if (at >= end) return NaN;
    for (; at < end && bytes[at] >= 48 && bytes[at] <= 57; at++) exponent = exponent * 10 + (bytes[at] - 48);
    if (below) exponent = -exponent;
  }
  if (at < end) return NaN;
  const power = exponent - decimals;
  if (digits <= 15 && power >= -22 && power <= 22) {
    const value = power < 0 ? mantissa / POWERS[-power] : mantissa * POWERS[power];
    return negative ? -value : value;
  }
  const text = String.fromCharCode(...bytes.subarray(start, end));
  const value = Number(comma ? text.replace(",", ".") : text);
  return Number.isFinite(value) ? value : NaN;
}

/** A column as a list of texts. */
function parseText(body, number, { separator }) {
  const decoder = new TextDecoder();
  const texts = [];
  eachLine(body, (start, end) => texts.push(split(decoder.decode(body.subarray(start, end)), separator)[number] || ""));
  return texts;
}
