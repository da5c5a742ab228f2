// What happens between a person and the items: show, judge, skip, go back, return.
//
// The present item is the one that waits for a verdict. A past item is one of the last ten, looked at again; the present one keeps
// its boxes and its time meanwhile.

import { address } from "./api.js";
import { canChange } from "./strip.js";
import { free, load } from "./picture.js";

const LEAST_LOOK_MS = 250; // a verdict sooner than this after the photo came is a slip of the finger

export class Session {
  past = null;
  #shown = null; // the card or entry on the screen
  #shownAt = Infinity;
  #set = { boxes: [], active: 0 }; // of the present item, while a past one is looked at

  /** `parts`: config, viewer, overlay, boxes, queue, outbox, strip, activity, stage, say. */
  constructor(parts) {
    Object.assign(this, parts);
    this.element = this.viewer.element;
  }

  // --- Showing ---

  /** Bring the present item to the screen, or say why there is none. `since` is when the key was pressed. */
  showPresent(since = 0, { boxes = [], active = 0 } = {}) {
    const card = this.queue.present ?? this.queue.advance();
    this.past = null;
    this.strip.lookAt(null);
    this.stage.paint(this);
    this.boxes.set(boxes);
    if (!card) return this.#showNothing();
    return this.#show(card, since, active);
  }

  #showNothing() {
    this.#shown = null;
    this.#mark(null);
    this.overlay.begin(null);
    this.viewer.clear();
    this.stage.paint(this);
  }

  /** Draw the photo of `what`: at once where it is decoded, else as soon as it is. */
  async #show(what, since, active) {
    this.#shown = what;
    this.#mark(null);
    this.overlay.begin(null);
    if (!what.bitmap) {
      this.viewer.clear();
      this.stage.paint(this);
      await what.loading;
      if (this.#shown !== what) return;
    }
    this.stage.paint(this);
    if (!what.bitmap) return;
    this.viewer.show(what.bitmap, this.config.line.keep_zoom);
    this.#mark(what);
    this.activity.start(active);
    if (!this.past) this.overlay.begin(what);
    // The frame after the drawing is when a person sees it.
    requestAnimationFrame(() => {
      if (since && this.#shown === what) this.element.dataset.shownMs = Math.round(performance.now() - since);
    });
  }

  #mark(what) {
    const { dataset } = this.element;
    this.#shownAt = what ? performance.now() : Infinity;
    dataset.item = this.#shown?.item ?? "";
    dataset.ready = what ? "1" : "0";
    dataset.armed = "0";
    dataset.past = this.past ? "1" : "0";
    if (what) setTimeout(() => this.#shown === what && this.#isArmed() && (dataset.armed = "1"), LEAST_LOOK_MS + 5);
  }

  #isArmed() {
    return performance.now() - this.#shownAt >= LEAST_LOOK_MS;
  }

  /** New cards came: show one where none is on the screen. */
  onCards() {
    if (!this.queue.present && !this.past) this.showPresent();
    else this.stage.paint(this);
  }

  /** Claims went to somebody else while the person was away. */
  onLost(claims) {
    const { present } = this.queue;
    if (!present || !claims.includes(present.claim)) return;
    present.lost = true;
    if (!this.past) this.overlay.begin(null);
    this.stage.paint(this);
  }

  /** Load the photo of the item on the screen once more. */
  reload() {
    const what = this.past ?? this.queue.present;
    if (!what) return this.queue.fill();
    load(what);
    return this.past ? this.goTo(this.past) : this.showPresent();
  }

  // --- Judging ---

  /** Take a verdict: a class, or "" for unsure. */
  judge(answer, since, comment = "") {
    if (!this.#mayAnswer()) return;
    if (this.past) this.#revise(answer, since, comment);
    else this.#judge(answer, since, comment);
  }

  #mayAnswer() {
    if (this.outbox.stopped) {
      this.say("Not taken: earlier answers are not saved yet.");
      return false;
    }
    if (!this.past && this.queue.present?.lost) {
      this.say("Not taken: this item is no longer yours. Enter shows the next one.");
      return false;
    }
    return this.element.dataset.ready === "1" && this.#isArmed();
  }

  #body(answer, comment) {
    // An item that is fine has no defect to point at.
    const negative = this.config.classes.some(({ key, negative: fine }) => fine && key === answer);
    const regions = negative ? [] : this.boxes.regionsFor(answer);
    return { answer, regions, comment, active_ms: this.activity.read() };
  }

  #judge(answer, since, comment) {
    const card = this.queue.present;
    const body = this.#body(answer, comment);
    const entry = {
      item: card.item, name: card.external_id, photo: card.photo, bitmap: card.bitmap, answer, regions: body.regions, state: "waiting",
    };
    this.#leave(since);
    entry.key = this.outbox.add({
      kind: "judge", line: this.config.line.slug, item: card.item, claim: card.claim, url: this.queue.url("judge", card), body,
      shown: { name: card.external_id, photo: card.photo },
    });
    this.strip.add(entry);
    this.stage.tell(answer);
  }

  /** Give the item to others. */
  skip(since) {
    if (this.past) return this.say("Escape returns to the item that waits.");
    const card = this.queue.present;
    if (card?.lost) return this.next(since);
    if (!card || this.outbox.stopped) return undefined;
    // A photo that cannot be loaded may be skipped; one that is there is looked at first, as with a verdict.
    if (this.element.dataset.ready === "1" && !this.#isArmed()) return undefined;
    const url = this.queue.url("skip", card);
    this.#leave(since);
    this.outbox.add({ kind: "skip", line: this.config.line.slug, item: card.item, claim: card.claim, url, body: {} });
    this.say("Skipped: somebody else gets it.");
    free(card);
    return undefined;
  }

  /** Go on from an item that is no longer this page's. */
  next(since) {
    if (this.past || !this.queue.present?.lost) return;
    const card = this.queue.present;
    this.#leave(since);
    free(card);
  }

  #leave(since) {
    this.boxes.turn(false);
    this.queue.advance();
    this.showPresent(since);
  }

  // --- Going back ---

  /** Look at the answer before this one again. */
  undo() {
    const entry = this.strip.older();
    if (entry) this.goTo(entry);
    else this.say(this.past ? "That was the last that can be changed." : "There is nothing to undo.");
  }

  /** Look at one of the last ten again. */
  goTo(entry) {
    if (!canChange(entry)) return this.say(entry.detail || "That one can't be changed any more.");
    if (!this.past) this.#set = { boxes: this.boxes.list.map((box) => ({ ...box })), active: this.activity.read() };
    this.past = entry;
    this.strip.lookAt(entry);
    if (!entry.bitmap && entry.settled !== false) load(entry);
    this.boxes.turn(false);
    this.boxes.set(entry.regions ?? []);
    this.stage.paint(this);
    return this.#show(entry, 0, 0);
  }

  /** Return to the item that waits, as it was left. */
  returnToPresent(since = 0) {
    if (!this.past) return;
    this.boxes.turn(false);
    this.showPresent(since, this.#set);
  }

  #revise(answer, since, comment) {
    const entry = this.past;
    const body = this.#body(answer, comment);
    if (answer !== entry.answer || JSON.stringify(body.regions) !== JSON.stringify(entry.regions ?? [])) {
      const key = this.outbox.add({
        kind: "revise", line: this.config.line.slug, item: entry.item, judgement: entry.state === "saved" ? entry.judgement : undefined,
        after: entry.state === "saved" ? undefined : entry.key, body, shown: { name: entry.name, photo: entry.photo },
      });
      Object.assign(entry, { before: entry.before ?? { answer: entry.answer, regions: entry.regions }, answer, regions: body.regions, state: "waiting", key });
      this.stage.tell(answer);
    }
    this.returnToPresent(since);
  }

  /** An answer is safe on the server. */
  onSaved({ key }, { judgement }) {
    const entry = this.strip.byKey(key);
    if (!entry) return;
    Object.assign(entry, { state: "saved", judgement, before: undefined });
    this.strip.paint();
  }

  /** The server refused an answer: say so where the answer is shown. */
  onRefused({ key, kind }, error) {
    const entry = this.strip.byKey(key);
    if (kind === "revise" && entry?.judgement) {
      // The first verdict stands.
      Object.assign(entry, { ...entry.before, before: undefined, state: "saved", revisable: false });
      this.say(`Not changed: ${error.message}`, "bad");
    } else if (entry) {
      Object.assign(entry, { state: "refused", detail: `${error.message} Your answer was not counted.` });
      this.say(`${entry.name || "That item"}: ${entry.detail}`, "bad");
    }
    this.strip.paint();
  }

  /** The address from which the prediction for `card` comes. */
  revealUrl(card) {
    return address(this.config.urls.reveal, card.claim);
  }
}
