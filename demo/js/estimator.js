// The C library, compiled to WebAssembly: samples in, strides out.

import { FEET } from "./columns.js";

export const MIN_RATE_HZ = 40, MAX_RATE_HZ = 420;

/** One instance of the module, with the state of a left and of a right foot. */
export class Estimator {
  /** @param bytes  the module; it imports nothing */
  constructor(bytes) {
    this.c = new WebAssembly.Instance(new WebAssembly.Module(bytes), {}).exports;
    this.fields = this.#text(this.c.field_names()).split(" ");
    this.flags = this.#text(this.c.flag_names()).split(" ");
    this.capacity = this.c.capacity();
  }

  /** Begin a recording of one foot. Throws RangeError for a rate that the library refuses. */
  start(foot, rateHz) {
    if (this.c.start(FEET.indexOf(foot), rateHz) < 0) throw new RangeError(`sampling rate ${rateHz} Hz`);
  }

  /**
   * Push samples and return the strides that they completed.
   * @param samples  Float32Array [n][6], m/s² and rad/s
   * @param lost     Uint32Array [n], samples missing before each
   */
  push(foot, samples, lost) {
    const number = FEET.indexOf(foot);
    const strides = [];
    for (let at = 0; at < lost.length; at += this.capacity) {
      const n = Math.min(this.capacity, lost.length - at);
      const { buffer } = this.c.memory;
      new Float32Array(buffer, this.c.sample_buffer(), 6 * n).set(samples.subarray(6 * at, 6 * (at + n)));
      new Uint32Array(buffer, this.c.lost_buffer(), n).set(lost.subarray(at, at + n));
      this.#collect(this.c.push(number, n), strides);
    }
    return strides;
  }

  /** End the recording of a foot and return its last stride, if there is one: a list of 0 or 1. */
  finish(foot) {
    const strides = [];
    this.#collect(this.c.finish(FEET.indexOf(foot)), strides);
    return strides;
  }

  hasUnitsError(foot) {
    return this.c.has_units_error(FEET.indexOf(foot)) !== 0;
  }

  #collect(count, strides) {
    for (let i = 0; i < count; i++) {
      const stride = Object.fromEntries(this.fields.map((name, number) => [name, this.c.field(i, number)]));
      stride.flags = this.flags.filter((_, number) => this.c.flag(i, number)).join(" ");
      strides.push(stride);
    }
  }

  #text(address) {
    const bytes = new Uint8Array(this.c.memory.buffer, address);
    return new TextDecoder().decode(bytes.slice(0, bytes.indexOf(0)));
  }
}
