// Change of heading in a stride, by integrating the gyroscope: for the drawing of the walk from above only.
// The C library does not report it, and no number in the table comes from here.

const STANDING_S = 0.5;
const MAX_STANDING_RADPS = 0.15;

/** Turns of the strides of one foot, from the samples as they come. */
export class Heading {
  /** @param keepS  how many seconds of samples are kept; Infinity for a whole recording */
  constructor(rateHz, keepS = Infinity) {
    this.rateHz = rateHz;
    this.keep = keepS * rateHz;
    this.chunks = []; // {first: number of its first sample, places, samples}
    this.next = 0;
    this.bias = [0, 0, 0];
    this.still = { n: 0, sum: [0, 0, 0] };
  }

  push(samples, lost) {
    const places = new Float64Array(lost.length);
    for (let i = 0; i < lost.length; i++) {
      this.next += lost[i];
      places[i] = this.next++;
      this.#learnBias(samples, 6 * i + 3);
    }
    this.chunks.push({ places, samples });
    while (this.chunks.length > 1 && this.chunks[1].places[0] < this.next - this.keep) this.chunks.shift();
  }

  /** The bias of the gyroscope is the mean of its last half second of standing. */
  #learnBias(samples, at) {
    const { still } = this;
    const [x, y, z] = [samples[at], samples[at + 1], samples[at + 2]];
    if (x * x + y * y + z * z > MAX_STANDING_RADPS ** 2) {
      still.n = 0;
      return;
    }
    if (still.n++ === 0) still.sum = [0, 0, 0];
    still.sum[0] += x;
    still.sum[1] += y;
    still.sum[2] += z;
    if (still.n >= STANDING_S * this.rateHz) {
      this.bias = still.sum.map((value) => value / still.n);
      still.n = 0;
    }
  }

  /** Turn between two places in samples, rad, to the left positive. 0 if the samples are no longer kept. */
  turn(startPlace, endPlace) {
    const near = Math.max(2, 0.04 * this.rateHz);
    const [bx, by, bz] = this.bias;
    let upX = 0, upY = 0, upZ = 0;
    let w = 1, x = 0, y = 0, z = 0; // quaternion: from the sensor now to the sensor at the start
    let previous = null;
    for (const { places, samples } of this.chunks) {
      if (places[places.length - 1] < startPlace - near || places[0] > endPlace) continue;
      for (let i = 0; i < places.length; i++) {
        const place = places[i], at = 6 * i;
        if (Math.abs(place - startPlace) <= near) {
          upX += samples[at];
          upY += samples[at + 1];
          upZ += samples[at + 2];
        }
        if (place < startPlace || place > endPlace) continue;
        const half = previous === null ? 0 : (place - previous) / this.rateHz / 2;
        previous = place;
        const f = (samples[at + 3] - bx) * half, g = (samples[at + 4] - by) * half, h = (samples[at + 5] - bz) * half;
        const next = [w - x * f - y * g - z * h, x + w * f + y * h - z * g, y + w * g - x * h + z * f, z + w * h + x * g - y * f];
        const size = Math.sqrt(next[0] ** 2 + next[1] ** 2 + next[2] ** 2 + next[3] ** 2);
        [w, x, y, z] = [next[0] / size, next[1] / size, next[2] / size, next[3] / size];
      }
    }
    const length = Math.hypot(upX, upY, upZ);
    if (!length) return 0;
    // Twist about the vertical; of two equal angles the smaller.
    const twist = 2 * Math.atan2((x * upX + y * upY + z * upZ) / length, w);
    return twist > Math.PI ? twist - 2 * Math.PI : twist < -Math.PI ? twist + 2 * Math.PI : twist;
  }
}
