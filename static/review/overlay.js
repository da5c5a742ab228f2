// What the model found, and when a person may see it: never, after the first look, or at once.
//
// `data-overlay` on the viewer says where it stands: "none" (no item), "never", "waiting" (first look), "ready" (may be asked
// for), "loading", "shown", "hidden", "absent" (no model looked at it).

import { drawHeat, tileOf } from "./heat.js";
import { outline } from "./marks.js";
import { read, write } from "./storage.js";

const ALPHA = 0.65;

export class Overlay {
  #card = null;
  #prediction = null;
  #tile = null;
  #state = "none";
  #peeking = false;
  #timer = 0;

  /** `fetchPrediction(card)` returns a promise of it; `activeMs()` the active time; `say(text)` tells the person. */
  constructor({ viewer, heat, group, words, nameOf, firstLookMs, fetchPrediction, activeMs, say }) {
    Object.assign(this, { viewer, heat, group, words, nameOf, firstLookMs, fetchPrediction, activeMs, say });
    this.wanted = read("overlay", true);
    this.strength = read("overlay.strength", ALPHA);
    viewer.onView(() => this.#paint());
  }

  get shown() {
    return this.#prediction !== null && this.wanted !== this.#peeking;
  }

  /** Begin with a card, or with nothing where there is no item or it has been judged. */
  begin(card) {
    clearTimeout(this.#timer);
    this.#card = card;
    this.#prediction = null;
    this.#tile = null;
    if (!card) return this.#become("none");
    if (card.reveal === "at_once") return this.#take(card.prediction);
    this.#become(card.reveal === "after" ? "waiting" : "never");
    if (card.reveal === "after") this.#wait();
    return undefined;
  }

  /** Turn the overlay on or off, for this item and those to come. */
  toggle() {
    if (!this.#mayBeSeen()) return;
    if (this.#prediction) this.wanted = !this.wanted;
    else this.wanted = true;
    write("overlay", this.wanted);
    this.#ask();
    this.#paint();
  }

  /** While `held`, show the overlay where it is off, and the bare photo where it is on. */
  peek(held) {
    if (held === this.#peeking) return;
    if (held && !this.#mayBeSeen()) return;
    // Where nothing was fetched yet, the overlay is what is asked for, whatever the switch says.
    this.#peeking = held && (this.#prediction !== null || !this.wanted);
    if (held) this.#ask();
    this.#paint();
  }

  setStrength(value) {
    this.strength = value;
    write("overlay.strength", value);
    this.#paint();
  }

  #mayBeSeen() {
    if (this.#state === "none") return false;
    if (this.#state === "never") this.say("Blind: judged without the model.");
    if (this.#state === "waiting") this.say("Your own look first. The model's comes in a moment.");
    if (this.#state === "absent") this.say("No model has looked at this item.");
    return !["never", "waiting", "absent"].includes(this.#state);
  }

  #wait() {
    const left = this.firstLookMs - this.activeMs();
    if (left > 0) {
      this.#timer = setTimeout(() => this.#wait(), Math.max(30, left));
      return;
    }
    this.#become("ready");
    if (this.wanted) this.#ask();
  }

  async #ask() {
    if (this.#prediction || this.#state !== "ready") return;
    const card = this.#card;
    this.#become("loading");
    try {
      const prediction = await this.fetchPrediction(card);
      if (card === this.#card) this.#take(prediction);
    } catch {
      if (card !== this.#card) return;
      this.#become("ready");
      this.say("What the model found could not be loaded. Press H to try again.");
    }
  }

  #take(prediction) {
    if (!prediction) return this.#become("absent");
    this.#prediction = prediction;
    this.#tile = prediction.heatmap ? tileOf(prediction.heatmap) : null;
    return this.#paint();
  }

  #become(state) {
    this.#state = state;
    this.#paint();
  }

  #paint() {
    if (this.#prediction) this.#state = this.shown ? "shown" : "hidden";
    this.viewer.element.dataset.overlay = this.#state;
    const shown = this.shown;
    drawHeat(this.heat, this.viewer, shown ? this.#tile : null, this.strength);
    const regions = shown && this.viewer.picture ? this.#prediction.regions : [];
    outline(this.group, this.viewer, regions, "found", (region) => this.nameOf(region.label));
    this.words.hidden = !shown;
    const words = shown ? this.#prediction.words : "";
    const place = this.words.querySelector("[data-words]");
    if (place.textContent !== words) place.textContent = words;
  }
}
