// The packets of a live sensor: docs/demo.md describes the format. Bytes in, samples with gaps out.

import { FEET } from "./columns.js";

export const VERSION = 1;
export const HEADER_BYTES = 26, SAMPLE_BYTES = 12, CRC_BYTES = 2;
export const MAX_SAMPLES = 18;
const MAGIC = [0x54, 0x53]; // "TS"
const REPEATED_S = 1; // a packet this far back was sent twice; one further back shows a restart
const RESTART_S = 2; // an unknown loss: more than the estimator bridges
const RATE_WINDOW_S = 10;
const MAX_RATE_ERROR = 0.01;

/** CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xFFFF. */
export function crc16(bytes) {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc;
}

/** Finds packets in a stream of bytes that may begin anywhere and be cut anywhere. */
export class PacketStream {
  constructor() {
    this.rest = new Uint8Array(0);
    this.damaged = 0; // packets with a wrong checksum
  }

  /** Take bytes (Uint8Array) and return the whole, undamaged packets that they complete. */
  push(bytes) {
    const data = new Uint8Array(this.rest.length + bytes.length);
    data.set(this.rest);
    data.set(bytes, this.rest.length);
    const packets = [];
    let at = 0;
    for (; at + HEADER_BYTES <= data.length; ) {
      const n = data[at + 24];
      if (data[at] !== MAGIC[0] || data[at + 1] !== MAGIC[1] || data[at + 2] !== VERSION || n < 1 || n > MAX_SAMPLES) {
        at++;
        continue;
      }
      const size = HEADER_BYTES + SAMPLE_BYTES * n + CRC_BYTES;
      if (at + size > data.length) break;
      const view = new DataView(data.buffer, at, size);
      if (crc16(data.subarray(at, at + size - CRC_BYTES)) !== view.getUint16(size - CRC_BYTES, true)) {
        this.damaged++;
        at++;
        continue;
      }
      packets.push(decoded(view, n));
      at += size;
    }
    this.rest = data.slice(at);
    return packets;
  }
}

function decoded(view, n) {
  const counts = Int16Array.from({ length: 6 * n }, (_, i) => view.getInt16(HEADER_BYTES + 2 * i, true));
  return {
    foot: FEET[view.getUint8(3) & 1],
    sequence: view.getUint32(4, true),
    timeUs: view.getUint32(8, true),
    rateHz: view.getFloat32(12, true),
    accScale: view.getFloat32(16, true),
    gyrScale: view.getFloat32(20, true),
    counts,
  };
}

/** The samples of one foot from its packets; packets that did not arrive become gaps. */
export class SampleStream {
  /** @param first  the first packet: it sets the sampling rate */
  constructor(first) {
    this.rateHz = first.rateHz;
    this.next = first.sequence;
    this.lost = 0;
    this.started = { sequence: first.sequence, timeUs: first.timeUs };
    this.warning = "";
  }

  /**
   * Return {samples: Float32Array [n][6], m/s² and rad/s, lost: Uint32Array [n]} of a packet; null for a packet that
   * came before.
   */
  take(packet) {
    const n = packet.counts.length / 6;
    let missing = (packet.sequence - this.next) >>> 0;
    if (missing >= 2 ** 31) {
      if (packet.sequence >= n && this.next - packet.sequence <= REPEATED_S * this.rateHz) return null;
      missing = Math.ceil(RESTART_S * this.rateHz);
      this.warning = "the sensor started anew";
      this.started = { sequence: packet.sequence, timeUs: packet.timeUs };
    }
    this.next = (packet.sequence + n) >>> 0;
    this.lost += missing;
    this.#checkRate(packet);
    const samples = Float32Array.from(packet.counts, (count, i) => count * (i % 6 < 3 ? packet.accScale : packet.gyrScale));
    const lost = new Uint32Array(n);
    lost[0] = missing;
    return { samples, lost };
  }

  /** Compare the time stamps with the stated rate once the window is full: a rate 1 % off makes lengths 2.4 % wrong. */
  #checkRate({ sequence, timeUs }) {
    const seconds = ((timeUs - this.started.timeUs) >>> 0) / 1e6;
    if (seconds < RATE_WINDOW_S) return;
    const measuredHz = ((sequence - this.started.sequence) >>> 0) / seconds;
    if (Math.abs(measuredHz / this.rateHz - 1) > MAX_RATE_ERROR) {
      this.warning = `its time stamps say ${measuredHz.toFixed(1)} Hz, its packets ${this.rateHz.toFixed(1)} Hz: lengths are wrong`;
    }
    this.started = { sequence, timeUs };
  }
}
