// Statistics with NumPy's definitions, so that the page decides as `tinystride predict` does.

/** Round to the nearest whole number, halves to the even one, as NumPy and Python do. */
export function rint(x) {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest < 0.5) return floor;
  if (rest > 0.5) return floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Median; NaN of an empty list. */
export function median(values) {
  const n = values.length;
  if (!n) return NaN;
  const copy = Float64Array.from(values);
  const half = n >> 1;
  const upper = selected(copy, half);
  return n % 2 ? upper : (maxOf(copy.subarray(0, half)) + upper) / 2;
}

/** The k-th smallest value, from 0. Afterwards no value before place k is larger than it. */
function selected(values, k) {
  let left = 0, right = values.length - 1;
  while (left < right) {
    const pivot = values[(left + right) >> 1];
    let i = left, j = right;
    while (i <= j) {
      while (values[i] < pivot) i++;
      while (values[j] > pivot) j--;
      if (i > j) break;
      const other = values[i];
      values[i++] = values[j];
      values[j--] = other;
    }
    if (k <= j) right = j;
    else if (k >= i) left = i;
    else break;
  }
  return values[k];
}

/** Percentile, 0 to 100, linear between neighbours; NaN of an empty list. */
export function percentile(values, share) {
  if (!values.length) return NaN;
  const copy = Float64Array.from(values);
  const place = (share / 100) * (copy.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, copy.length - 1);
  const upper = selected(copy, above);
  const lower = above === below ? upper : maxOf(copy.subarray(0, above));
  return lower + (place - below) * (upper - lower);
}

/** Sum, pairwise as in NumPy, so that the last bit agrees, too. */
export function sum(values, begin = 0, n = values.length) {
  if (n > 128) {
    const half = (n >> 1) - ((n >> 1) % 8);
    return sum(values, begin, half) + sum(values, begin + half, n - half);
  }
  if (n < 8) {
    let total = 0;
    for (let i = 0; i < n; i++) total += values[begin + i];
    return total;
  }
  let [a, b, c, d, e, f, g, h] = values.slice(begin, begin + 8);
  const stop = begin + n - (n % 8);
  let i = begin + 8;
  for (; i < stop; i += 8) {
    a += values[i];
    b += values[i + 1];
    c += values[i + 2];
    d += values[i + 3];
    e += values[i + 4];
    f += values[i + 5];
    g += values[i + 6];
    h += values[i + 7];
  }
  let total = a + b + (c + d) + (e + f + (g + h));
  for (; i < begin + n; i++) total += values[i];
  return total;
}

/** Mean; NaN of an empty list. */
export function mean(values) {
  return values.length ? sum(values) / values.length : NaN;
}

/** Standard deviation; `ddof` 1: of a sample. */
export function deviation(values, ddof = 0) {
  const centre = mean(values);
  return Math.sqrt(sum(values.map((value) => (value - centre) ** 2)) / (values.length - ddof));
}

/** Largest value, without the limit that Math.max has on the number of arguments. */
export function maxOf(values, start = -Infinity) {
  let found = start;
  for (let i = 0; i < values.length; i++) if (values[i] > found) found = values[i];
  return found;
}

/** Differences of neighbours. */
export function diff(values) {
  const steps = new Float64Array(Math.max(0, values.length - 1));
  for (let i = 0; i < steps.length; i++) steps[i] = values[i + 1] - values[i];
  return steps;
}

/** A number with `digits` significant digits and without trailing zeros, like %g. */
export function short(x, digits = 6) {
  if (!Number.isFinite(x)) return String(x);
  const text = x.toPrecision(digits);
  return text.includes("e") ? String(Number(text)) : text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** Round to `places` decimals as NumPy does. */
export function rounded(x, places) {
  const factor = 10 ** places;
  return rint(x * factor) / factor;
}
