// Two drawings on canvas: the walk from above, and stride lengths over time with intervals and flags. Both are built up
// stride by stride. The same numbers are in the table for readers who do not see them.

const APART_M = 0.2; // of the drawing only: two sensors do not show how far apart the feet are
const MARGIN = { left: 46, right: 12, top: 12, bottom: 34 };
const FLAG_ROW = 18;
const MIN_SPAN_CM = 20;

/** Positions of the mid-stances in metres of each foot: the first stride leads along x, y is to the left. */
export function walkPaths(rows) {
  const feet = new Map();
  for (const row of rows) {
    if (!feet.has(row.foot)) feet.set(row.foot, { x: 0, y: 0, heading: 0, lines: [] });
    const foot = feet.get(row.foot);
    const direction = foot.lines.length ? foot.heading + row.turn_rad / 2 : 0;
    const before = { x: foot.x, y: foot.y };
    foot.x += (Math.cos(direction) * row.stride_length_cm) / 100;
    foot.y += (Math.sin(direction) * row.stride_length_cm) / 100;
    foot.heading = direction + row.turn_rad / 2;
    foot.lines.push({ row, from: before, to: { x: foot.x, y: foot.y } });
  }
  return feet;
}

class Drawing {
  constructor(canvas) {
    this.canvas = canvas;
    this.drawn = 0;
    this.rows = [];
  }

  /** Draw the first `count` of the rows in order of time, beyond those that are drawn already. */
  show(count) {
    for (; this.drawn < Math.min(count, this.rows.length); this.drawn++) this.one(this.drawn);
    this.canvas.dataset.drawn = this.drawn;
  }

  /** Size the canvas to its place and read the colours of the scheme. */
  prepare(height) {
    const { canvas } = this;
    const ratio = window.devicePixelRatio || 1;
    this.width = canvas.clientWidth;
    this.height = height;
    canvas.style.height = `${height}px`;
    canvas.width = Math.round(this.width * ratio);
    canvas.height = Math.round(height * ratio);
    this.context = canvas.getContext("2d");
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.context.font = "12px system-ui, sans-serif";
    this.context.lineJoin = this.context.lineCap = "round";
    const style = getComputedStyle(canvas);
    this.colour = (name) => style.getPropertyValue(`--${name}`).trim();
    this.drawn = 0;
  }

  strokeColour(row) {
    return this.colour(row.flags ? "flagged" : row.foot);
  }
}

/** The walk from above. */
export class Plan extends Drawing {
  set(rows) {
    this.rows = rows;
    const paths = walkPaths(rows);
    const places = new Map([...paths.keys()].map((foot) => [foot, 0]));
    this.lines = rows.map((row) => {
      const at = places.get(row.foot);
      places.set(row.foot, at + 1);
      const { from, to } = paths.get(row.foot).lines[at];
      const aside = (row.foot === "left" ? 1 : -1) * (APART_M / 2) * (paths.size > 1 ? 1 : 0);
      return { from: { x: from.x, y: from.y + aside }, to: { x: to.x, y: to.y + aside } };
    });
    const points = this.lines.flatMap(({ from, to }) => [from, to]);
    const [left, right, low, high] = extent(points);
    const pad = 24;
    const inner = Math.max(60, this.canvas.clientWidth - 2 * pad);
    const span = { x: Math.max(right - left, 1), y: Math.max(high - low, 1) };
    const scale = Math.min(inner / span.x, (this.canvas.clientWidth > 600 ? 380 : 300) / span.y);
    this.prepare(Math.max(110, Math.round(span.y * scale + 2 * pad + 22)));
    const shift = (this.width - span.x * scale) / 2;
    this.at = ({ x, y }) => [shift + (x - left) * scale, pad + (high - y) * scale + (high - low < 1 ? (span.y - high + low) * scale * 0.5 : 0)];
    this.#ruler(scale);
    if (points.length) this.#dot(points[0], this.colour("text"), 4);
  }

  #ruler(scale) {
    const { context: c } = this;
    const metres = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000].find((size) => size * scale >= 50) || 5000;
    const [x, y] = [14, this.height - 12];
    c.strokeStyle = c.fillStyle = this.colour("muted");
    c.lineWidth = 1.5;
    c.beginPath();
    c.moveTo(x, y - 4);
    c.lineTo(x, y);
    c.lineTo(x + metres * scale, y);
    c.lineTo(x + metres * scale, y - 4);
    c.stroke();
    c.fillText(`${metres} m`, x + metres * scale + 6, y + 1);
  }

  #dot(point, colour, radius) {
    const [x, y] = this.at(point);
    this.context.fillStyle = colour;
    this.context.beginPath();
    this.context.arc(x, y, radius, 0, 2 * Math.PI);
    this.context.fill();
  }

  one(i) {
    const { context: c } = this;
    const { from, to } = this.lines[i];
    c.strokeStyle = this.strokeColour(this.rows[i]);
    c.lineWidth = 2;
    c.setLineDash(this.rows[i].flags ? [4, 4] : []);
    c.beginPath();
    c.moveTo(...this.at(from));
    c.lineTo(...this.at(to));
    c.stroke();
    c.setLineDash([]);
    this.#dot(to, this.strokeColour(this.rows[i]), this.rows.length > 400 ? 1.5 : 3);
  }
}

/** Lengths over time, with 95 % intervals, and below a row of marks for each flag that occurs. */
export class Lengths extends Drawing {
  set(rows) {
    this.rows = rows;
    this.flags = [...new Set(rows.flatMap((row) => row.flags.split(" ").filter(Boolean)))];
    const plotHeight = 250;
    this.prepare(plotHeight + (this.flags.length ? 8 + this.flags.length * (FLAG_ROW + 14) : 0));
    const [, , low, high] = extent(
      rows.flatMap((row) => [
        { x: 0, y: Math.max(0, row.stride_length_low_cm) },
        { x: 0, y: Math.min(300, row.stride_length_high_cm) },
      ]),
    );
    const step = niceStep(Math.max(high - low, MIN_SPAN_CM) / 5);
    const [bottom, top] = [Math.floor(low / step) * step, Math.ceil(high / step) * step];
    const start = Math.min(...rows.slice(0, 2).map((row) => row.start_s));
    const end = Math.max(start + 1, rows.length ? Math.max(...rows.slice(-2).map((row) => row.end_s)) : 0);
    this.plotBottom = plotHeight - MARGIN.bottom;
    const span = this.width - MARGIN.left - MARGIN.right;
    this.x = (second) => MARGIN.left + ((second - start) / (end - start)) * span;
    this.y = (cm) => this.plotBottom - ((cm - bottom) / (top - bottom || 1)) * (this.plotBottom - MARGIN.top);
    this.#axes(bottom, top, step, start, end);
  }

  #axes(bottom, top, step, start, end) {
    const { context: c } = this;
    c.lineWidth = 1;
    c.textAlign = "right";
    c.textBaseline = "middle";
    for (let cm = bottom; cm <= top + 1e-9; cm += step) {
      const y = Math.round(this.y(cm)) + 0.5;
      c.strokeStyle = this.colour("grid");
      c.beginPath();
      c.moveTo(MARGIN.left, y);
      c.lineTo(this.width - MARGIN.right, y);
      c.stroke();
      c.fillStyle = this.colour("muted");
      c.fillText(`${Math.round(cm)}`, MARGIN.left - 7, y);
    }
    c.textAlign = "center";
    c.textBaseline = "top";
    const tick = niceStep((end - start) / Math.max(2, this.width / 85));
    for (let second = Math.ceil(start / tick) * tick; second <= end; second += tick) {
      c.fillText(`${+second.toFixed(1)} s`, this.x(second), this.plotBottom + 6);
    }
    c.textAlign = "left";
    c.textBaseline = "alphabetic";
    this.flags.forEach((flag, i) => c.fillText(flag, MARGIN.left, this.#flagY(i) - 4));
  }

  #flagY(i) {
    return this.plotBottom + MARGIN.bottom + 14 + i * (FLAG_ROW + 14);
  }

  one(i) {
    const { context: c } = this;
    const row = this.rows[i];
    const room = Math.min(1, (this.width - MARGIN.left) / (7 * this.rows.length));
    const [x, y] = [this.x((row.start_s + row.end_s) / 2), this.y(row.stride_length_cm)];
    c.strokeStyle = this.colour(row.flags ? "flagged-soft" : `${row.foot}-soft`);
    c.lineWidth = 1 + 3 * room;
    c.beginPath();
    c.moveTo(x, this.y(Math.max(0, row.stride_length_low_cm)));
    c.lineTo(x, this.y(Math.min(300, row.stride_length_high_cm)));
    c.stroke();
    const size = 1.5 + 2.5 * room;
    c.fillStyle = c.strokeStyle = this.strokeColour(row);
    c.lineWidth = 1.5;
    c.beginPath();
    if (row.flags) {
      c.moveTo(x, y - size - 1);
      c.lineTo(x + size + 1, y + size);
      c.lineTo(x - size - 1, y + size);
      c.closePath();
      c.stroke();
    } else if (row.foot === "left") {
      c.arc(x, y, size, 0, 2 * Math.PI);
      c.fill();
    } else {
      c.rect(x - size * 0.9, y - size * 0.9, size * 1.8, size * 1.8);
      c.fill();
    }
    c.fillStyle = this.colour("flagged");
    for (const flag of row.flags.split(" ").filter(Boolean)) {
      const from = this.x(row.start_s);
      c.fillRect(from, this.#flagY(this.flags.indexOf(flag)), Math.max(1.5, this.x(row.end_s) - from - 1), 8);
    }
  }
}

function extent(points) {
  let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const { x, y } of points) {
    if (x < left) left = x;
    if (x > right) right = x;
    if (y < low) low = y;
    if (y > high) high = y;
  }
  return points.length ? [left, right, low, high] : [0, 1, 0, 1];
}

/** The smallest of 1, 2 and 5 times a power of ten that is at least x. */
function niceStep(x) {
  const power = 10 ** Math.floor(Math.log10(x));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= x * 0.999);
}
