// The map of the rows, on one canvas and without a library. What comes from the data is set as
// text, never as markup.
"use strict";

const MARGIN = 18; // pixels around the points of the whole map
const REACH = 14; // pixels within which a point is pointed at
const STEP = 40; // pixels that an arrow key moves the map by
const CLOSER = 1.4;
const CLOSEST = 60;
const FAINT = 0.07;

const byId = (id) => document.getElementById(id);
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

function element(tag, text = "", name = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = name;
  return made;
}

// -- what a point is ---------------------------------------------------------------------------

function pairs(entries, name) {
  const list = element("dl", "", name);
  for (const [term, text] of entries) list.append(element("dt", term), element("dd", text));
  return list;
}

/** Each kind of data has a function that returns one that shows a point: i -> elements. */
const HOVER = {
  images(hover) {
    const sheet = new Image();
    sheet.src = hover.sheet;
    const { width, height, columns } = hover;
    const factor = Math.max(1, Math.round(112 / Math.max(width, height)));
    return (i) => {
      const picture = element("canvas");
      Object.assign(picture, { width: factor * width, height: factor * height });
      const context = picture.getContext("2d");
      context.imageSmoothingEnabled = false;
      const [x, y] = [(i % columns) * width, Math.floor(i / columns) * height];
      context.drawImage(sheet, x, y, width, height, 0, 0, picture.width, picture.height);
      return [picture];
    };
  },

  table(hover) {
    return (i) => {
      const shown = hover.shown ? hover.shown[i] : hover.names.keys();
      const entries = Array.from(shown, (f, place) => [hover.names[f], hover.values[i][place]]);
      const list = pairs(entries, "features");
      if (!hover.shown) return [list];
      const note = `${entries.length} of ${hover.names.length} features, those furthest from the mean`;
      return [list, element("div", note, "note")];
    };
  },

  series(hover) {
    const levels = Uint8Array.from(atob(hover.levels), (sign) => sign.charCodeAt(0));
    const { steps, channels } = hover;
    const height = 96;
    return (i, palette) => {
      const picture = element("canvas");
      Object.assign(picture, { width: 240, height });
      const context = picture.getContext("2d");
      for (let channel = 0; channel < channels; channel++) {
        context.beginPath();
        for (let step = 0; step < steps; step++) {
          const level = levels[(i * steps + step) * channels + channel];
          const x = 2 + (236 * step) / Math.max(1, steps - 1);
          context.lineTo(x, height - 3 - ((height - 6) * level) / 255);
        }
        context.strokeStyle = palette[channel % palette.length];
        context.stroke();
      }
      const range = `from ${hover.low.toPrecision(3)} to ${hover.high.toPrecision(3)}`;
      const which = channels < hover.of ? `, ${channels} of ${hover.of} channels` : "";
      return [picture, element("div", `${hover.length} steps, ${range}${which}`, "note")];
    };
  },
};

// -- shapes: colour is never the only sign -------------------------------------------------------

const shapeOf = (shade) => Math.floor(Math.max(shade, 0) / 10) % 4;

function trace(context, shape, x, y, r) {
  context.beginPath();
  if (shape === 0) context.arc(x, y, r, 0, 2 * Math.PI);
  else if (shape === 1) corners(context, [[x, y - 1.2 * r], [x + 1.1 * r, y + 0.9 * r], [x - 1.1 * r, y + 0.9 * r]]);
  else if (shape === 2) context.rect(x - 0.9 * r, y - 0.9 * r, 1.8 * r, 1.8 * r);
  else corners(context, [[x, y - 1.3 * r], [x + 1.3 * r, y], [x, y + 1.3 * r], [x - 1.3 * r, y]]);
}

function corners(context, points) {
  for (const [x, y] of points) context.lineTo(x, y);
  context.closePath();
}

// -- the map -------------------------------------------------------------------------------------

class PointMap {
  constructor(data) {
    this.data = data;
    this.canvas = byId("points");
    this.context = this.canvas.getContext("2d");
    this.tip = byId("tip");
    this.show = HOVER[data.hover.kind](data.hover);
    this.space = data.spaces[data.spaces.length - 1];
    this.colouring = data.colourings[data.colouring];
    this.lit = new Set();
    this.picked = null;
    // no class lies on top of another when the order is scattered
    const scattered = (i) => (Math.imul(i + 1, 2654435761) >>> 0) / 2 ** 32;
    this.order = data.rows.map((_, i) => i).sort((a, b) => scattered(a) - scattered(b));
    this.whole();
  }

  whole() {
    this.zoom = 1;
    this.dx = this.dy = 0;
    this.redraw();
  }

  /** Zoom by a factor; what lies at (x, y) stays there, by default the middle. */
  scale(factor, x = this.width / 2, y = this.height / 2) {
    const zoom = clamp(this.zoom * factor, 1, CLOSEST);
    const change = zoom / this.zoom;
    this.dx = x - this.width / 2 - change * (x - this.width / 2 - this.dx);
    this.dy = y - this.height / 2 - change * (y - this.height / 2 - this.dy);
    this.zoom = zoom;
    this.move(0, 0);
  }

  move(x, y) {
    const room = (this.zoom - 1) / 2 + 0.25; // some of the map is always in sight
    this.dx = clamp(this.dx + x, -room * this.width, room * this.width);
    this.dy = clamp(this.dy + y, -room * this.height, room * this.height);
    this.redraw();
  }

  resize() {
    const ratio = window.devicePixelRatio || 1;
    this.width = this.canvas.clientWidth;
    this.height = this.canvas.clientHeight;
    this.canvas.width = Math.round(ratio * this.width);
    this.canvas.height = Math.round(ratio * this.height);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.redraw();
  }

  /** Where point i is on the canvas. */
  place(i) {
    const { extent } = this.data;
    const x = (this.space.x[i] / extent - 0.5) * (this.width - 2 * MARGIN);
    const y = (0.5 - this.space.y[i] / extent) * (this.height - 2 * MARGIN);
    return [this.width / 2 + this.dx + this.zoom * x, this.height / 2 + this.dy + this.zoom * y];
  }

  redraw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
    });
  }

  draw() {
    const { context, width, height } = this;
    const even = Math.sqrt((0.05 * width * height) / this.data.rows.length) / 2;
    const r = clamp(even, 2, 5) * this.zoom ** 0.3;
    context.clearRect(0, 0, width, height);
    for (const i of this.order) {
      const [x, y] = this.place(i);
      if (x < -r || y < -r || x > width + r || y > height + r) continue;
      const [shade, shape] = this.look(i);
      context.globalAlpha = this.isLit(i) ? 0.8 : FAINT;
      context.fillStyle = shade;
      trace(context, shape, x, y, r);
      context.fill();
    }
    context.globalAlpha = 1;
    if (this.picked !== null) this.ring(r + 4);
  }

  ring(r) {
    const [x, y] = this.place(this.picked);
    trace(this.context, 0, x, y, r);
    this.context.lineWidth = 2;
    this.context.strokeStyle = "#1f2428";
    this.context.stroke();
    this.placeTip(x, y);
  }

  /** Colour and shape of point i. */
  look(i) {
    const { palette, unknown, ramp } = this.data;
    if (!this.colouring) return [unknown, 0];
    if (this.colouring.values) {
      const [low, high] = this.range();
      const share = (this.colouring.values[i] - low) / (high - low || 1);
      return [ramp[Math.round(share * (ramp.length - 1))], 0];
    }
    const code = this.colouring.codes[i];
    if (code < 0) return [unknown, 0];
    const shade = this.colouring.shades[code];
    return [palette[shade % palette.length], shapeOf(shade)];
  }

  range() {
    const { colouring } = this;
    colouring.range ??= [Math.min(...colouring.values), Math.max(...colouring.values)];
    return colouring.range;
  }

  isLit(i) {
    return this.lit.size === 0 || this.lit.has(this.colouring.codes[i]);
  }

  // -- pointing

  nearest(x, y) {
    let [best, least] = [null, REACH ** 2];
    for (const i of this.order) {
      const [px, py] = this.place(i);
      const distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance <= least && this.isLit(i)) [best, least] = [i, distance];
    }
    return best;
  }

  pick(i) {
    if (i === this.picked) return;
    this.picked = i;
    this.tip.hidden = i === null;
    if (i !== null) this.tip.replaceChildren(...this.describe(i));
    this.redraw();
  }

  /** The next row in the order of the data, brought into sight. */
  step(by) {
    const count = this.data.rows.length;
    const start = this.picked ?? (by > 0 ? -1 : count);
    this.pick((start + by + count) % count);
    const [x, y] = this.place(this.picked);
    if (x < 0 || y < 0 || x > this.width || y > this.height) this.move(this.width / 2 - x, this.height / 2 - y);
  }

  describe(i) {
    const known = this.data.colourings.map((each) => [each.name, valueOf(each, i)]);
    const { palette, rows } = this.data;
    const heading = element("strong", rows[i]);
    return [heading, pairs(known, "known"), ...this.show(i, palette)];
  }

  placeTip(x, y) {
    const { offsetWidth: wide, offsetHeight: high, style } = this.tip;
    const left = x + 16 + wide > this.width ? x - 16 - wide : x + 16;
    style.left = `${clamp(left, 2, Math.max(2, this.width - wide - 2))}px`;
    style.top = `${clamp(y - high / 2, 2, Math.max(2, this.height - high - 2))}px`;
  }

  // -- choosing

  chooseSpace(number) {
    this.space = this.data.spaces[number];
    this.whole();
  }

  chooseColouring(number) {
    this.colouring = this.data.colourings[number];
    this.lit.clear();
    byId("legend").replaceChildren(...this.legend());
    this.redraw();
  }

  legend() {
    if (!this.colouring) return [];
    const heading = element("h3", this.colouring.name);
    return [heading, ...(this.colouring.values ? this.rampLegend() : this.marks())];
  }

  rampLegend() {
    const ramp = element("div", "", "ramp");
    ramp.style.background = `linear-gradient(to right, ${this.data.ramp.join(",")})`;
    const ends = element("div", "", "ends");
    ends.append(...this.range().map((value) => element("span", value.toPrecision(3))));
    return [ramp, ends];
  }

  marks() {
    const counts = new Map();
    for (const code of this.colouring.codes) counts.set(code, (counts.get(code) ?? 0) + 1);
    const codes = [...counts.keys()].sort((a, b) => a - b);
    return codes.map((code) => this.mark(code, counts.get(code)));
  }

  mark(code, count) {
    const [shade, shape] = this.look(this.colouring.codes.indexOf(code));
    const button = element("button");
    const sign = element("span", "", `mark shape-${shape}`);
    sign.style.background = shade;
    const name = code < 0 ? "unlabelled" : this.colouring.names[code];
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    button.append(sign, element("span", name), element("span", count.toLocaleString("en"), "count"));
    button.addEventListener("click", () => {
      if (!this.lit.delete(code)) this.lit.add(code);
      button.setAttribute("aria-pressed", String(this.lit.has(code)));
      this.pick(null);
      this.redraw();
    });
    return button;
  }
}

function valueOf(colouring, i) {
  if (colouring.values) return colouring.values[i].toFixed(3);
  const code = colouring.codes[i];
  return code < 0 ? "unlabelled" : colouring.names[code];
}

// -- hands on it ---------------------------------------------------------------------------------

/** Where each finger or the mouse is that holds the map; two of them zoom. */
function listenToPointers(map) {
  const { canvas } = map;
  const held = new Map();
  const at = (event) => [event.offsetX, event.offsetY];
  canvas.addEventListener("pointerdown", (event) => {
    held.set(event.pointerId, at(event));
    canvas.setPointerCapture(event.pointerId);
    map.pick(map.nearest(...at(event)));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!held.has(event.pointerId)) return map.pick(map.nearest(...at(event)));
    const [before, now] = [held.get(event.pointerId), at(event)];
    const [other] = [...held].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    held.set(event.pointerId, now);
    if (!other) return map.move(now[0] - before[0], now[1] - before[1]);
    const apart = (place) => Math.max(1, Math.hypot(place[0] - other[0], place[1] - other[1]));
    map.scale(apart(now) / apart(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
  });
  for (const ending of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(ending, (event) => held.delete(event.pointerId));
  }
  canvas.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse") map.pick(null);
  });
  canvas.addEventListener("wheel", (event) => {
    // the page scrolls on unless the map is what is meant
    if (!event.ctrlKey && !event.metaKey && document.activeElement !== canvas) return;
    event.preventDefault();
    map.scale(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)), ...at(event));
  }, { passive: false });
}

function listenToKeys(map) {
  const keys = {
    ArrowLeft: () => map.move(STEP, 0),
    ArrowRight: () => map.move(-STEP, 0),
    ArrowUp: () => map.move(0, STEP),
    ArrowDown: () => map.move(0, -STEP),
    "+": () => map.scale(CLOSER),
    "=": () => map.scale(CLOSER),
    "-": () => map.scale(1 / CLOSER),
    0: () => map.whole(),
    n: () => map.step(1),
    p: () => map.step(-1),
    Escape: () => map.pick(null),
  };
  map.canvas.addEventListener("keydown", (event) => {
    const act = keys[event.key] ?? keys[event.key.toLowerCase()];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
}

function fillSelect(select, things, chosen, choose) {
  select.append(...things.map((thing, number) => new Option(thing, number)));
  select.selectedIndex = chosen;
  select.addEventListener("change", () => choose(select.selectedIndex));
  select.parentElement.hidden = things.length === 0;
}

function startMap(data) {
  const map = new PointMap(data);
  const { spaces, colourings, colouring } = data;
  const names = spaces.map(({ name, method }) => `${name} (${method})`);
  fillSelect(byId("space"), names, spaces.length - 1, (number) => map.chooseSpace(number));
  const choices = colourings.map(({ name }) => name);
  fillSelect(byId("colouring"), choices, colouring, (number) => map.chooseColouring(number));
  byId("closer").addEventListener("click", () => map.scale(CLOSER));
  byId("farther").addEventListener("click", () => map.scale(1 / CLOSER));
  byId("whole").addEventListener("click", () => map.whole());
  byId("sampled").textContent = data.note;
  listenToPointers(map);
  listenToKeys(map);
  new ResizeObserver(() => map.resize()).observe(map.canvas);
  map.resize();
  map.chooseColouring(colouring);
}

// -- pictures ------------------------------------------------------------------------------------

function enlarge(button) {
  const full = button.previousElementSibling.classList.toggle("full");
  button.setAttribute("aria-pressed", String(full));
}

for (const button of document.querySelectorAll("button.enlarge")) {
  button.addEventListener("click", () => enlarge(button));
}
if (byId("map")) startMap(JSON.parse(byId("map-data").textContent));
