// Samples onto an even grid, by the stamps of an ordinary clock. Port of tinystride/reading/clock.py.
//
// A sensor samples evenly, but its time stamps jitter, are rounded, are shared by all samples of a radio packet, or
// jump. The number of samples lost before each one is found by a Viterbi search for the fewest losses that explain the
// stamps. Where the steps are independent of one another, the sampling itself was uneven: then samples are interpolated.

import { readError } from "./errors.js";
import { deviation, diff, maxOf, mean, median, rint, short } from "./numbers.js";
import { otherRate, typicalStep } from "./times.js";

const RATE_TOLERANCE = 0.005; // of a rate that the user has given
const MAX_RATE_ERROR = 0.05;
const NICE_RATE_TOLERANCE = 2e-4;
const NICE_RATES_HZ = [51.2, 102.4, 204.8, 409.6, 819.2];
const DIRECT_JITTER = 0.25; // intervals; steps that are as even are rounded one by one
const MAX_JITTER = 0.65; // intervals, SD; beyond, no place is certain
const LOSS_COST = 7.0;
const BEAM = 8;
const BEAM_COST = 40.0;
const MUCH_JITTER = 0.15; // intervals, SD; losses and a slow clock begin to look alike
const USUAL_RATES_HZ = [
  40, 50, 51.2, 52, 60, 64, 75, 80, 100, 102.4, 104, 119, 120, 125, 128, 148.148, 150, 160, 200, 204.8, 208, 240, 250,
  256, 300, 400,
];
const UNUSUAL_COST = 12.0;
const CLEAR_COST = 40.0;
const MAX_TRIED = 1200; // samples that intervals are tried on
const FOLLOW = 0.02; // share of a residual by which the offset follows
const MIN_JUMP_S = 0.05;
export const AROUND_JUMP = 3; // samples to either side of a jump that count as lost
const LONG_PAUSE_S = 10.0;
const UNEVEN_CORRELATION = -0.25; // stamps that jitter make -0.5, intervals that vary 0

// A placement: {rows, place, rateHz, startS, jumps, timesS, notes}; place[i] is where row rows[i] is on the even grid.

/** Rows one after the other. */
export function placeWithoutTime(count, rateHz) {
  const rows = Int32Array.from({ length: count }, (_, i) => i);
  return { rows, place: Float64Array.from(rows), rateHz, startS: NaN, jumps: [], timesS: null, notes: [] };
}

/** Rows at the places that a counter of samples gives, which is unwrapped already. */
export function placeByCounter(source, counter, rateHz) {
  const rows = finiteRows(counter);
  const counts = Float64Array.from(rows, (row) => counter[row]);
  const step = typicalStep(counts);
  if (!(step > 0)) {
    throw readError(source, "its counter does not increase", "choose the time under Options, Time column");
  }
  const keptRows = [rows[0]], place = [0], jumps = [];
  let at = 0;
  diff(counts).forEach((change, i) => {
    const steps = rint(change / step);
    if (steps === 0) return;
    at += steps < 0 ? 1 : steps;
    if (steps < 0) jumps.push(at);
    keptRows.push(rows[i + 1]);
    place.push(at);
  });
  const placement = {
    rows: Int32Array.from(keptRows), place: Float64Array.from(place), rateHz, startS: NaN, jumps, timesS: null, notes: [],
  };
  capPauses(placement);
  return placement;
}

/** Rows at the places that their stamps give: timeS in seconds, NaN where unknown. */
export function placeByTime(source, timeS, rateHz, counter) {
  const rows = finiteRows(timeS);
  if (rows.length < 20) throw readError(source, `contains ${rows.length} samples, less than a second`, "record a whole walk");
  const stamps = withoutStrays(Float64Array.from(rows, (row) => timeS[row]));
  let interval = typicalStep(stamps);
  let rateIsKnown = false;
  if (!(interval > 0)) throw readError(source, "time does not increase", "choose another column under Options, Time column");
  if (rateHz !== null) {
    if (Math.abs(interval * rateHz - 1) > 0.2) throw otherRate(source, 1 / interval, rateHz);
    if (Math.abs(interval * rateHz - 1) <= MAX_RATE_ERROR) [interval, rateIsKnown] = [1 / rateHz, true];
  }
  const base = basePlaces(counter ? Float64Array.from(rows, (row) => counter[row]) : null, rows.length);
  const breaks = [];
  let equal = 0;
  diff(stamps).forEach((step, i) => {
    if (step < -Math.max(8 * interval, MIN_JUMP_S)) breaks.push(i + 1);
    if (step === 0) equal++;
  });
  const shared = equal / (stamps.length - 1) > 0.05;
  let placement = null;
  if (!shared) {
    if (!counter) placement = uneven(rows, stamps, interval, breaks);
    placement = placement || direct(rows, stamps, base, breaks, interval);
  }
  placement = placement || searched(source, rows, stamps, base, breaks, interval, shared, rateIsKnown);
  if (rateHz !== null) {
    const error = Math.abs(placement.rateHz / rateHz - 1);
    if (error > MAX_RATE_ERROR) throw otherRate(source, placement.rateHz, rateHz);
    if (error <= RATE_TOLERANCE) placement.rateHz = rateHz;
  } else placement.rateHz = nice(placement.rateHz);
  capPauses(placement);
  return placement;
}

function finiteRows(values) {
  const rows = new Int32Array(values.length);
  let count = 0;
  for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i])) rows[count++] = i;
  return rows.subarray(0, count);
}

/** The place of each row if nothing was lost but what the counter shows. */
function basePlaces(counter, count) {
  const plain = Float64Array.from({ length: count }, (_, i) => i);
  if (!counter || !counter.every(Number.isFinite)) return plain;
  const step = typicalStep(counter);
  if (!(step > 0)) return plain;
  const steps = diff(counter).map((change) => rint(change / step));
  if (steps.some((change) => change < 0)) return plain;
  for (let i = 1; i < count; i++) plain[i] = plain[i - 1] + steps[i - 1];
  return plain;
}

/** The stamps, single ones that are far off replaced by the middle of their neighbours. */
function withoutStrays(stamps) {
  const interval = typicalStep(stamps);
  const n = stamps.length;
  if (!(interval > 0) || n < 5) return stamps;
  const fixed = stamps.slice();
  for (let i = 1; i < n - 1; i++) {
    const before = stamps[i] - stamps[i - 1], after = stamps[i + 1] - stamps[i];
    const far = Math.abs(before) > 20 * interval && Math.abs(after) > 20 * interval;
    if (far && Math.sign(before) !== Math.sign(after) && Math.abs(stamps[i + 1] - stamps[i - 1]) < 8 * interval) {
      fixed[i] = (stamps[i - 1] + stamps[i + 1]) / 2;
    }
  }
  if (Math.abs(fixed[1] - fixed[0]) > 1e4 * interval && Math.abs(fixed[2] - fixed[1]) < 8 * interval) {
    fixed[0] = fixed[1] - interval;
  }
  if (Math.abs(fixed[n - 1] - fixed[n - 2]) > 1e4 * interval && Math.abs(fixed[n - 2] - fixed[n - 3]) < 8 * interval) {
    fixed[n - 1] = fixed[n - 2] + interval;
  }
  return fixed;
}

/** Each step rounded by itself, where the stamps are even enough for that; else null. */
function direct(rows, stamps, base, breaks, interval) {
  const steps = diff(stamps);
  const broken = new Set(breaks.map((at) => at - 1));
  const single = steps.filter((step, i) => Math.abs(step / interval - 1) < 0.5 && !broken.has(i));
  if (single.length < 0.3 * steps.length) return null;
  interval = mean(single);
  const place = new Float64Array(stamps.length);
  const cuts = [];
  for (let i = 0; i < steps.length; i++) {
    const relative = steps[i] / interval;
    let whole = 1;
    if (!broken.has(i)) {
      // A pause need not be whole intervals: what was sampled after it is on a grid of its own.
      if (Math.abs(relative - rint(relative)) > DIRECT_JITTER && relative < 3) return null;
      if (rint(relative) < 1) return null;
      whole = Math.max(rint(relative), base[i + 1] - base[i]);
    }
    place[i + 1] = place[i] + whole;
    if (whole > 3 || broken.has(i)) cuts.push(i + 1);
  }
  interval = regressed(place, stamps, cuts) || interval;
  return {
    rows, place, rateHz: 1 / interval, startS: stamps[0], jumps: breaks.map((at) => place[at]), timesS: null, notes: [],
  };
}

/** True times of samples whose intervals vary independently of one another; null if they do not. */
function uneven(rows, stamps, interval, breaks) {
  const steps = diff(stamps);
  const relative = steps.map((step) => step / interval);
  if (breaks.length || relative.some((step) => step <= 0)) return null;
  const usual = relative.filter((step) => step < 1.6);
  const centre = mean(usual);
  let pairs = 0, product = 0;
  for (let i = 0; i + 1 < relative.length; i++) {
    if (relative[i] >= 1.6 || relative[i + 1] >= 1.6) continue;
    pairs++;
    product += (relative[i] - centre) * (relative[i + 1] - centre);
  }
  const sd = deviation(usual);
  if (pairs < 30 || sd < 0.02) return null;
  let squares = 0;
  for (const step of relative) squares += (step - centre) ** 2 * (step < 1.6 ? 1 : 0);
  if (product / pairs / Math.max(1e-12, squares / usual.length) < UNEVEN_CORRELATION) return null;
  const even = mean(steps.filter((_, i) => relative[i] < 1.6));
  return {
    rows, place: stamps.map((stamp) => rint((stamp - stamps[0]) / even)), rateHz: 1 / even, startS: stamps[0], jumps: [],
    timesS: stamps, notes: ["uneven samples interpolated"],
  };
}

/** Places by the Viterbi search, over rows or over groups of rows that share a stamp. */
function searched(source, rows, stamps, base, breaks, interval, shared, rateIsKnown) {
  const last = [];
  for (let i = 0; i < stamps.length; i++) {
    if (!shared || i === stamps.length - 1 || stamps[i + 1] !== stamps[i]) last.push(i);
  }
  const sizes = last.map((at, i) => at - (i ? last[i - 1] : -1));
  let unit = 1;
  if (shared) {
    // Stamps as of the last row of each group; equal groups are lost as a whole.
    const usual = Math.trunc(median(sizes));
    const inner = sizes.slice(1, -1);
    unit = inner.filter((size) => size === usual).length / inner.length > 0.9 && usual > 1 ? usual : 1;
  }
  const segments = breaks.map((at) => {
    const found = last.findIndex((row) => row >= at);
    return found < 0 ? last.length : found;
  });
  const observed = Float64Array.from(last, (row) => stamps[row]);
  const numbers = Float64Array.from(last, (row) => base[row]);
  const usual = usualInterval(observed, numbers, interval);
  if (!rateIsKnown) {
    interval = usual;
    if (!shared) interval = bestInterval(source, observed, numbers, interval);
  }
  let lost, spread;
  for (let round = 0; round < 3; round++) [interval, lost, spread] = fit(observed, numbers, segments, interval, unit);
  const limit = MAX_JITTER * interval * (shared ? Math.max(8, 2 * maxOf(sizes)) : 1);
  if (spread > limit) {
    throw readError(
      source, `its time stamps vary by ${(spread / interval).toFixed(1)} intervals (SD), too much to place them`,
      "give the stamps of the sensor instead of those of the receiver, or its counter of samples",
    );
  }
  const place = new Float64Array(stamps.length);
  for (let group = 0, i = 0; group < last.length; group++) for (; i <= last[group]; i++) place[i] = base[i] + lost[group];
  let startS = stamps[0];
  if (!breaks.length) startS = median(observed.map((stamp, i) => stamp - (numbers[i] + lost[i]) * interval));
  const first = place[0];
  const keptRows = [], keptPlace = [];
  for (let i = 0; i < place.length; i++) {
    place[i] -= first;
    if (i && place[i] <= place[i - 1]) continue;
    keptRows.push(rows[i]);
    keptPlace.push(place[i]);
  }
  return {
    rows: Int32Array.from(keptRows), place: Float64Array.from(keptPlace), rateHz: 1 / interval, startS,
    jumps: breaks.map((at) => place[at]), timesS: null,
    notes: shared ? [`${observed.length} stamps shared by ${stamps.length} samples`] : [],
  };
}

/** The mean interval over steps without a loss: a median would take losses for a slower clock. */
function usualInterval(observed, numbers, interval) {
  const steps = diff(observed), counts = diff(numbers);
  for (let round = 0; round < 5; round++) {
    let n = 0, time = 0, samples = 0;
    for (let i = 0; i < steps.length; i++) {
      if (Math.abs(steps[i] - counts[i] * interval) >= 0.5 * interval * Math.max(1, counts[i])) continue;
      n++;
      time += steps[i];
      samples += counts[i];
    }
    if (n < 5) break;
    interval = time / samples;
  }
  return interval;
}

/** [interval, samples lost before each observation, SD of the residuals]: one round of the search. */
function fit(observed, numbers, segments, interval, unit) {
  const sd = Math.max(jitter(observed, numbers, interval), 0.05 * interval);
  const lost = new Float64Array(observed.length);
  const bounds = [0, ...segments, observed.length];
  let squares = 0, count = 0, slope = 0, weight = 0;
  for (let b = 0; b + 1 < bounds.length; b++) {
    const [begin, end] = [bounds[b], bounds[b + 1]];
    if (end <= begin) continue;
    const residual = observed.subarray(begin, end).map((stamp, i) => stamp - numbers[begin + i] * interval);
    const { path } = search(residual, interval, sd, unit);
    const before = begin ? lost[begin - 1] : 0;
    for (let i = begin; i < end; i++) lost[i] = path[i - begin] + before;
    if (end - begin <= 10) continue;
    // Interval by least squares on what lies between long pauses.
    const x = numbers.subarray(begin, end).map((number, i) => number + lost[begin + i]);
    const y = observed.slice(begin, end);
    const [meanX, meanY] = [mean(x), mean(y)];
    let xy = 0, xx = 0;
    for (let i = 0; i < x.length; i++) {
      x[i] -= meanX;
      y[i] -= meanY;
      xy += x[i] * y[i];
      xx += x[i] * x[i];
    }
    slope += xy;
    weight += xx;
    const rest = y.map((value, i) => value - (x[i] * xy) / xx);
    // Without the slow part of the residuals: the mean over 51 of them.
    const at = (i) => rest[Math.min(Math.max(i, 0), rest.length - 1)];
    let window = 0;
    for (let i = -25; i <= 25; i++) window += at(i);
    for (let i = 0; i < rest.length; i++) {
      squares += Math.min((rest[i] - window / 51) ** 2, (5 * sd) ** 2);
      window += at(i + 26) - at(i - 25);
    }
    count += rest.length;
  }
  return [weight ? slope / weight : interval, lost, Math.sqrt(squares / Math.max(1, count))];
}

/** The SD of the stamps, s, from the deviations of their steps. */
function jitter(observed, numbers, interval) {
  const counts = diff(numbers);
  const off = diff(observed).map((step, i) => step - counts[i] * interval);
  const centre = median(off);
  return (1.4826 * median(off.map((value) => Math.abs(value - centre)))) / Math.SQRT2;
}

/** The interval by least squares within the parts between `cuts`; null where all are too short. */
function regressed(place, stamps, cuts) {
  let covariance = 0, variance = 0;
  const bounds = [0, ...cuts, place.length];
  for (let b = 0; b + 1 < bounds.length; b++) {
    const [begin, end] = [bounds[b], bounds[b + 1]];
    if (end - begin <= 10) continue;
    const meanX = mean(place.subarray(begin, end)), meanY = mean(stamps.subarray(begin, end));
    for (let i = begin; i < end; i++) {
      const x = place[i] - meanX;
      covariance += x * (stamps[i] - meanY);
      variance += x * x;
    }
  }
  return variance ? covariance / variance : null;
}

/** Of intervals nearby the one that explains stamps with much jitter best: losses look like a slower clock. */
function bestInterval(source, observed, numbers, interval) {
  const sd = jitter(observed, numbers, interval);
  if (sd < MUCH_JITTER * interval) return interval;
  const usual = USUAL_RATES_HZ.map((rate) => 1 / rate).filter((candidate) => {
    const error = interval / candidate - 1;
    return error > -0.03 && error < 0.1;
  });
  const costs = new Map();
  const steps = Array.from({ length: 15 }, (_, i) => interval * (1 + 0.006 * (i - 12)));
  for (const candidate of [...usual, ...steps]) {
    const residual = observed.subarray(0, MAX_TRIED).map((stamp, i) => stamp - numbers[i] * candidate);
    const doubt = usual.includes(candidate) ? 0 : UNUSUAL_COST;
    costs.set(candidate, search(residual, candidate, sd, 1, 0.003).cost + doubt);
  }
  let best = null;
  for (const [candidate, cost] of costs) if (best === null || cost < costs.get(best)) best = candidate;
  let second = Infinity;
  for (const [candidate, cost] of costs) if (Math.abs(candidate / best - 1) > 0.008) second = Math.min(second, cost);
  if (sd > 2 * MUCH_JITTER * interval && second - costs.get(best) < CLEAR_COST) {
    throw readError(
      source, `its time stamps jitter too much to show the sampling rate (${short(1 / best, 4)} Hz, or another)`,
      "give the sampling rate under Options",
    );
  }
  return best;
}

/** {path: samples lost before each observation, cost}: as few losses as explain the residuals (stamp − number × interval). */
function search(residual, interval, sdS, unit, fixedFollow = null) {
  const n = residual.length;
  const values = residual.map((value) => value / interval);
  const sd = sdS / interval;
  const follow = fixedFollow || (sd < MUCH_JITTER ? FOLLOW : FOLLOW / 5);
  const weight = 0.5 / sd ** 2, cap = (4 * sd + 1) ** 2;
  const first = n >= 9 ? median(residual.subarray(0, 9)) / interval : values[0];
  // A state: how many samples were lost so far, its cost, the offset of the clock, and the state that it came from.
  // The first offset is off by an interval where one of the first samples is lost: hence several states.
  let states = [-unit, 0, unit].map((lost) => ({ lost, cost: 0, offset: first }));
  const keptLost = new Int32Array(n * BEAM), keptFrom = new Int32Array(n * BEAM);
  for (let i = 0; i < n; i++) {
    // A mean over the first observations, then a slow trace of the clock's drift.
    const share = Math.max(follow, 1 / (i + 9));
    const following = new Map();
    for (const { lost, cost, offset } of states) {
      const more = rint((values[i] - offset - lost) / unit) * unit;
      for (const added of new Set([0, more - unit, more, more + unit])) {
        if (added < 0) continue;
        const error = values[i] - offset - lost - added;
        const total = cost + weight * Math.min(error * error, cap) + (added ? LOSS_COST : 0);
        const state = following.get(lost + added);
        if (state && total >= state.cost) continue;
        const moved = offset + share * Math.max(-3 * sd, Math.min(3 * sd, error));
        following.set(lost + added, { lost: lost + added, cost: total, offset: moved, from: lost });
      }
    }
    const ranked = [...following.values()].sort((a, b) => a.cost - b.cost).slice(0, BEAM);
    states = ranked.filter((state) => state.cost <= ranked[0].cost + BEAM_COST);
    states.forEach((state, k) => {
      keptLost[i * BEAM + k] = state.lost;
      keptFrom[i * BEAM + k] = state.from;
    });
    for (let k = states.length; k < BEAM; k++) keptLost[i * BEAM + k] = -0x80000000;
  }
  const path = new Float64Array(n);
  const { cost } = states[0];
  let { lost } = states[0];
  for (let i = n - 1; i >= 0; i--) {
    path[i] = lost;
    let k = 0;
    while (keptLost[i * BEAM + k] !== lost) k++;
    lost = keptFrom[i * BEAM + k];
  }
  const start = path[0];
  return { path: path.map((value) => value - start), cost };
}

/** A whole rate, or one that sensors have, where the measured one is as good as equal to it. */
function nice(rateHz) {
  let nearest = Math.max(1, rint(rateHz));
  for (const rate of NICE_RATES_HZ) if (Math.abs(rate - rateHz) < Math.abs(nearest - rateHz)) nearest = rate;
  return Math.abs(rateHz / nearest - 1) < NICE_RATE_TOLERANCE ? nearest : rateHz;
}

/** Shorten long pauses where there would be more filling than recording. */
function capPauses(placement) {
  const { place, rows, rateHz } = placement;
  const steps = diff(place);
  const maxSteps = Math.max(2, Math.trunc(LONG_PAUSE_S * rateHz));
  const pauses = steps.filter((step) => step > maxSteps);
  if (!pauses.length || place[place.length - 1] + 1 <= 2 * rows.length + 60 * rateHz) return;
  const seconds = pauses.reduce((total, step) => total + step, 0) / rateHz;
  const jumps = placement.jumps.map((jump) => place.findIndex((at) => at >= jump));
  const capped = new Float64Array(place.length);
  for (let i = 0; i < steps.length; i++) capped[i + 1] = capped[i] + Math.min(steps[i], maxSteps);
  placement.place = capped;
  placement.jumps = jumps.map((at) => capped[at]);
  placement.timesS = null;
  placement.notes.push(
    `${pauses.length} pauses of ${short(seconds, 4)} s together counted as ${LONG_PAUSE_S} s each`,
  );
}
