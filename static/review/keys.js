// Which key does what. Every key can be changed or switched off, one by one or all together; the choice stays in the browser.

import { read, write } from "./storage.js";

const SHOWN = { " ": "Space", Backspace: "⌫", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc" };
const ARIA = { " ": "Space", "+": "Plus" };

/** The keys of every console; those of the verdicts come from the line. */
const COMMON = {
  unsure: ["0"], skip: ["s"], undo: ["z", "Backspace"], peek: [" "], overlay: ["h"], box: ["b"], fit: ["f"],
  "zoom-in": ["+", "="], "zoom-out": ["-"], left: ["ArrowLeft"], right: ["ArrowRight"], up: ["ArrowUp"], down: ["ArrowDown"],
  darker: ["["], brighter: ["]"], flatter: ["{"], crisper: ["}"], note: ["n"], help: ["?"], present: ["Escape"],
};

/** Return the name of the key of an event: digits by their place (numpad too), letters without case. */
export function keyOf(event) {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code);
  if (digit && (/^\d$/.test(event.key) || !event.shiftKey)) return digit[1];
  return event.key.length === 1 ? event.key.toLowerCase() : event.key;
}

/** Return how a key is printed on its cap. */
export function capOf(key) {
  return SHOWN[key] ?? key.toUpperCase();
}

export class Keys {
  /** `classes` give the verdicts' keys; `name` is where changes are kept. */
  constructor(classes, name) {
    this.name = name;
    this.defaults = { ...Object.fromEntries(classes.map(({ key, hotkey }) => [`verdict:${key}`, hotkey ? [hotkey] : []])), ...COMMON };
    const kept = read(name, {});
    this.on = kept.on ?? true;
    this.changes = kept.changes ?? {};
  }

  /** The keys of an action. */
  of(action) {
    return this.changes[action] ?? this.defaults[action] ?? [];
  }

  /** The action of a key, or undefined. */
  actionOf(key) {
    return Object.keys(this.defaults).find((action) => this.of(action).includes(key));
  }

  /** Give `key` to `action`, alone; whoever had it loses it. `key` null switches the action's keys off. */
  assign(action, key) {
    const before = key === null ? undefined : this.actionOf(key);
    if (before && before !== action) this.changes[before] = this.of(before).filter((other) => other !== key);
    this.changes[action] = key === null ? [] : [key];
    this.#keep();
  }

  turn(on) {
    this.on = on;
    this.#keep();
  }

  reset() {
    this.on = true;
    this.changes = {};
    this.#keep();
  }

  #keep() {
    write(this.name, { on: this.on, changes: this.changes });
    this.paint();
  }

  /** Print the keys on all buttons that have an action. */
  paint() {
    for (const element of document.querySelectorAll("[data-action]")) {
      const keys = this.on ? this.of(element.dataset.action) : [];
      if (keys.length > 0) element.setAttribute("aria-keyshortcuts", keys.map((key) => ARIA[key] ?? key.toUpperCase()).join(" "));
      else element.removeAttribute("aria-keyshortcuts");
      const cap = element.querySelector("kbd");
      if (!cap) continue;
      cap.textContent = keys.length > 0 ? capOf(keys[0]) : "";
      cap.hidden = keys.length === 0;
    }
  }
}

/** Whether the event belongs to a field that somebody types into. */
export function isTyping(event) {
  return event.target.closest?.('input:not([type="range"], [type="checkbox"]), textarea, select, [contenteditable]') !== null;
}

/** Whether the event presses a button or link that has the focus. */
export function isPressing(event) {
  return [" ", "Enter"].includes(event.key) && event.target.closest?.("button, a, summary, input") !== null;
}
