// The boxes a person draws: with the mouse, a finger or the keys. Lengths are shares of the picture from 0 to 1.

import { place, svg } from "./marks.js";

const LEAST_PX = 6; // smaller than this on the screen is a slip of the hand, not a box
const HANDLE_PX = 14; // how near to a corner a press takes the corner
const STEP_PX = 4; // what an arrow key moves, on the screen: zoom in for finer steps
const FAST = 4; // how many times that while the key is held down
const MOST = 50;

const clamp = (value, least, most) => Math.min(most, Math.max(least, value));

/** Return the box between two corners, in any order. */
export function between(a, b) {
  return { x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), width: Math.abs(a.x - b.x), height: Math.abs(a.y - b.y) };
}

/** Return `box` pushed and cut so that it lies inside the picture. */
export function inside(box) {
  const width = clamp(box.width, 0.002, 1);
  const height = clamp(box.height, 0.002, 1);
  return { ...box, width, height, x: clamp(box.x, 0, 1 - width), y: clamp(box.y, 0, 1 - height) };
}

export class Boxes {
  list = [];
  selected = -1;
  on = false;

  /** `onChange()` is called after every change; `nameOf(label)` gives a box its name. */
  constructor({ viewer, group, nameOf, onChange }) {
    Object.assign(this, { viewer, group, nameOf, onChange });
    viewer.onView(() => this.draw());
  }

  /** Take over `regions`, as of another item. */
  set(regions) {
    this.list = regions.map((region) => ({ label: "", ...region }));
    this.selected = -1;
    this.#changed();
  }

  /** Switch drawing on or off. */
  turn(on) {
    if (on && !this.viewer.picture) return;
    this.on = on;
    if (!on) this.selected = -1;
    this.#changed();
  }

  /** The boxes as an answer: a box without its own class gets `label`; one that then has none is left out. */
  regionsFor(label) {
    const round = (value) => Math.round(value * 1e5) / 1e5;
    return this.list
      .map((box) => ({ ...box, label: box.label || label }))
      .filter((box) => box.label)
      .map(({ label: own, x, y, width, height }) => ({
        label: own, x: round(x), y: round(y), width: round(width), height: round(height),
      }));
  }

  /** Put a box of a sensible size into the middle of what is seen. */
  add() {
    if (this.list.length >= MOST) return;
    const { x, y } = this.viewer.centre;
    const reach = Math.min(x, y) * 0.4;
    const box = between(this.viewer.toPicture(x - reach, y - reach), this.viewer.toPicture(x + reach, y + reach));
    this.list.push({ label: "", ...inside(box) });
    this.select(this.list.length - 1);
  }

  select(index) {
    this.selected = index;
    this.#changed();
  }

  change(index, values) {
    this.list[index] = { ...this.list[index], ...inside({ ...this.list[index], ...values }) };
    this.#changed();
  }

  label(index, label) {
    this.list[index].label = label;
    this.#changed();
  }

  remove(index) {
    if (!this.list[index]) return;
    this.list.splice(index, 1);
    this.selected = Math.min(index, this.list.length - 1);
    this.#changed();
  }

  /** Take a key of the drawing mode; return whether it was one. */
  key(event) {
    if (!this.on) return false;
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (arrows[event.key]) {
      if (this.selected < 0) this.list.length ? this.select(0) : this.add();
      else this.#nudge(arrows[event.key], event.shiftKey, event.repeat ? FAST : 1);
    } else if (event.key === "Tab") return this.#next(event.shiftKey ? -1 : 1);
    else if (event.key === "Delete" && this.selected >= 0) this.remove(this.selected);
    else if (event.key === "Enter") this.list.length === 0 ? this.add() : this.turn(false);
    else if (event.key === "Escape") this.turn(false);
    else return false;
    return true;
  }

  /** Tab goes from box to box and then on through the page, so that nobody is caught. */
  #next(step) {
    const next = this.selected + step;
    if (next < 0 || next >= this.list.length) return false;
    this.select(next);
    return true;
  }

  #nudge([dx, dy], resize, times) {
    const { width, height } = this.viewer.size;
    const box = this.list[this.selected];
    const across = (dx * STEP_PX * times) / width;
    const down = (dy * STEP_PX * times) / height;
    if (!resize) this.change(this.selected, { x: box.x + across, y: box.y + down });
    else {
      this.change(this.selected, {
        width: clamp(box.width + across, 0.002, 1 - box.x), height: clamp(box.height + down, 0.002, 1 - box.y),
      });
    }
  }

  /** Take a drag that begins at `point` of the screen, or return null where drawing is off. */
  grab(point) {
    if (!this.on) return null;
    const corner = this.#cornerAt(point);
    if (corner) return this.#stretch(corner);
    const index = this.#boxAt(point);
    return index >= 0 ? this.#carry(index, point) : this.#create(point);
  }

  #create(point) {
    if (this.list.length >= MOST) return null;
    const start = this.viewer.toPicture(point.x, point.y);
    const index = this.list.push({ label: "", ...start, width: 0, height: 0 }) - 1;
    this.select(index);
    const drop = () => this.remove(index);
    return {
      move: (now) => {
        Object.assign(this.list[index], between(start, this.viewer.toPicture(now.x, now.y)));
        this.#changed();
      },
      end: () => {
        const { width, height } = this.list[index];
        const { width: across, height: down } = this.viewer.size;
        if (width * across < LEAST_PX || height * down < LEAST_PX) drop();
      },
      cancel: drop,
    };
  }

  #carry(index, point) {
    const before = { ...this.list[index] };
    const start = this.viewer.toPicture(point.x, point.y);
    this.select(index);
    const move = (now) => {
      const at = this.viewer.toPicture(now.x, now.y);
      this.change(index, { x: before.x + at.x - start.x, y: before.y + at.y - start.y });
    };
    return { move, end: () => {}, cancel: () => this.change(index, before) };
  }

  #stretch({ index, opposite }) {
    const before = { ...this.list[index] };
    const move = (now) => this.change(index, between(opposite, this.viewer.toPicture(now.x, now.y)));
    return { move, end: () => {}, cancel: () => this.change(index, before) };
  }

  #cornerAt(point) {
    const box = this.list[this.selected];
    if (!box) return null;
    for (const right of [0, 1]) {
      for (const bottom of [0, 1]) {
        const at = this.viewer.toScreen(box.x + right * box.width, box.y + bottom * box.height);
        if (Math.hypot(at.x - point.x, at.y - point.y) <= HANDLE_PX) {
          return { index: this.selected, opposite: { x: box.x + (1 - right) * box.width, y: box.y + (1 - bottom) * box.height } };
        }
      }
    }
    return null;
  }

  #boxAt(point) {
    const { x, y } = this.viewer.toPicture(point.x, point.y);
    return this.list.findLastIndex((box) => x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height);
  }

  #changed() {
    this.draw();
    this.onChange();
  }

  draw() {
    const element = this.viewer.element;
    element.dataset.boxes = this.list.length;
    if (this.on) element.dataset.boxMode = "1";
    else delete element.dataset.boxMode;
    this.group.replaceChildren();
    if (!this.viewer.picture) return;
    this.list.forEach((box, index) => this.#drawOne(box, index === this.selected));
  }

  #drawOne(box, selected) {
    const back = svg("rect", { class: "box-back", rx: 2 });
    const rect = svg("rect", { class: selected ? "box box-selected" : "box", rx: 2 });
    place(back, this.viewer, box);
    const { x, y, width, height } = place(rect, this.viewer, box);
    const name = svg("text", { class: "box-name", x: x + 1, y: y + height + 14 });
    name.textContent = this.nameOf(box.label);
    this.group.append(back, rect, name);
    if (!selected) return;
    for (const [cx, cy] of [[x, y], [x + width, y], [x, y + height], [x + width, y + height]]) {
      this.group.append(svg("circle", { class: "box-handle", cx, cy, r: 5 }));
    }
  }
}
