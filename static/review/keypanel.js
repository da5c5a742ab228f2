// The help panel: what each key does, and another key for it where somebody wants one. It never blocks the console.

import { capOf, keyOf } from "./keys.js";

export class KeyPanel {
  #waiting = null; // the row whose key is being chosen

  constructor(element, keys) {
    this.element = element;
    this.keys = keys;
    this.status = element.querySelector("[data-key-status]");
    element.querySelector("[data-keys-on]").addEventListener("change", (event) => {
      keys.turn(event.target.checked);
      this.paint();
    });
    element.querySelector("[data-keys-reset]").addEventListener("click", () => {
      keys.reset();
      this.#tell("All keys are as they were at first.");
    });
    element.querySelector("[data-close]").addEventListener("click", () => this.toggle(false));
    element.addEventListener("click", (event) => this.#press(event));
    element.addEventListener("focusout", (event) => {
      if (this.#waiting && !this.#waiting.contains(event.relatedTarget)) this.#tell("");
    });
    this.paint();
  }

  /** Open or close; opening moves the focus into the panel, closing puts it back. */
  toggle(open = this.element.hidden) {
    if (open === !this.element.hidden) return;
    this.element.hidden = !open;
    document.querySelector('[data-action="help"]')?.setAttribute("aria-expanded", String(open));
    if (open) {
      this.before = document.activeElement;
      this.element.focus();
    } else {
      this.#tell("");
      this.before?.focus?.();
    }
  }

  #press(event) {
    const row = event.target.closest("[data-key-row]");
    if (event.target.closest("[data-key-change]")) {
      this.#waiting = row;
      this.#tell(`Press the new key for “${row.dataset.title}”. Escape leaves it as it is.`, true);
    } else if (event.target.closest("[data-key-off]")) {
      this.keys.assign(row.dataset.keyRow, null);
      this.#tell(`“${row.dataset.title}” has no key now. Its button still works.`);
    }
  }

  /** Take the key that is being chosen; return whether one was. */
  take(event) {
    if (!this.#waiting || ["Shift", "Control", "Alt", "Meta", "Tab"].includes(event.key)) return false;
    const row = this.#waiting;
    const key = keyOf(event);
    if (event.key === "Escape") {
      this.#tell("");
      return true;
    }
    const before = this.keys.actionOf(key);
    this.keys.assign(row.dataset.keyRow, key);
    const lost = before && before !== row.dataset.keyRow ? ` “${this.#titleOf(before)}” lost it.` : "";
    this.#tell(`${capOf(key)} is now “${row.dataset.title}”.${lost}`);
    return true;
  }

  #titleOf(action) {
    return this.element.querySelector(`[data-key-row="${CSS.escape(action)}"]`)?.dataset.title ?? action;
  }

  #tell(text, keep = false) {
    if (!keep) this.#waiting = null;
    this.status.textContent = text;
    this.paint();
  }

  paint() {
    this.element.querySelector("[data-keys-on]").checked = this.keys.on;
    for (const row of this.element.querySelectorAll("[data-key-row]")) {
      const keys = this.keys.of(row.dataset.keyRow);
      const cap = row.querySelector("[data-key-change]");
      cap.textContent = row === this.#waiting ? "…" : keys.map(capOf).join(" ") || "off";
      cap.setAttribute("aria-label", `${row.dataset.title}: ${keys.map(capOf).join(" or ") || "no key"}. Change`);
      row.querySelector("[data-key-off]").disabled = keys.length === 0;
    }
  }
}
