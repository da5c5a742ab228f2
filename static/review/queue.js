// The items ahead: claimed for me, their photos decoded before they are needed, kept alive and given back.
//
// A claim belongs to one loaded page, and every page gives itself a name. A page that is loaded takes over what its person holds;
// what an older page says afterwards, such as the release that it sent while it was being left, then changes nothing.

import { address, post, postLast, SignedOut, Unreachable } from "./api.js";
import { free, load } from "./picture.js";
import { newKey } from "./random.js";

const AHEAD = 3;
const POLL_MS = 5000; // while something is missing, and nobody said that something moved
const AWAY_MS = 5 * 60_000; // after this long without a movement the claims are no longer kept alive

export class Queue {
  present = null;
  ahead = [];
  #page = newKey();
  #left = new Set(); // claims that this page is done with: asked a moment too early, the server still gives them out
  #again = false; // whether somebody asked while a question was on its way
  #adopt = true; // whether this person may hold claims that this page does not know of
  #asking = false;
  #beat = 0;
  #slept = false;

  /**
   * `others()` lists claims whose answers wait to be sent; `idle()` the milliseconds without a movement. Called back:
   * `onCards()` when cards came, `onCounts(queue)`, `onLost(ids)`, `onTrouble(null | "offline" | "signed-out")`.
   */
  constructor({ urls, claimSeconds, others, idle, onCards, onCounts, onLost, onTrouble }) {
    Object.assign(this, { urls, others, idle, onCards, onCounts, onLost, onTrouble });
    this.beatMs = (claimSeconds * 1000) / 3;
  }

  start() {
    this.#beat = performance.now();
    for (const claim of this.others()) this.#left.add(claim);
    this.#ask();
    setInterval(() => this.fill(), POLL_MS);
    setInterval(() => this.#keepUp(), this.beatMs);
    document.addEventListener("visibilitychange", () => document.hidden || this.#wake());
    addEventListener("pointerdown", () => this.#wake(), { passive: true });
    addEventListener("keydown", () => this.#wake(), { passive: true });
    // Something moved on the line: an item arrived, or somebody else took one.
    document.body.addEventListener("live", () => this.#ask());
    addEventListener("online", () => this.fill());
    addEventListener("pagehide", () => this.#giveBack());
    // A page that comes back out of the browser's cache has given its items back.
    addEventListener("pageshow", (event) => event.persisted && location.reload());
  }

  get held() {
    return [...(this.present && !this.present.lost ? [this.present] : []), ...this.ahead];
  }

  /** Make the next card the present one; return it, or null where there is none. */
  advance() {
    if (this.present) this.#left.add(this.present.claim);
    this.present = this.ahead.shift() ?? null;
    this.fill();
    return this.present;
  }

  /** Claim as many as are missing, and begin to load their photos. */
  async fill() {
    if (this.#missing > 0) await this.#ask();
  }

  get #missing() {
    return Math.max(0, AHEAD + (this.present ? 0 : 1) - this.ahead.length);
  }

  get #mine() {
    return [...this.held.map((card) => card.claim), ...this.others()];
  }

  /** Ask for what is missing, and, where there is nothing at hand, for what this person holds without this page. */
  async #ask() {
    if (this.#away()) return;
    if (this.#asking) {
      this.#again = true;
      return;
    }
    this.#asking = true;
    const resume = this.#adopt && this.held.length === 0;
    try {
      const { cards, queue } = await post(this.urls.next, { want: this.#missing, page: this.#page, resume });
      if (resume) this.#adopt = false;
      this.onTrouble(null);
      this.onCounts(queue);
      this.#take(cards);
    } catch (error) {
      if (!(error instanceof SignedOut || error instanceof Unreachable)) throw error;
      this.onTrouble(error instanceof SignedOut ? "signed-out" : "offline");
    } finally {
      this.#asking = false;
      // What is missing by now the question on its way could not know.
      if (this.#again) {
        this.#again = false;
        this.fill();
      }
    }
  }

  #take(cards) {
    const known = new Set([...this.#left, ...this.#mine]);
    for (const card of cards) {
      if (known.has(card.claim)) continue;
      load(card);
      this.ahead.push(card);
    }
    this.onCards();
  }

  /** Keep my claims, and the figures of the queue that are shown, from growing old. */
  #keepUp() {
    this.heartbeat();
    this.#ask();
  }

  /** Keep my claims alive, unless I have been away for long. */
  async heartbeat() {
    const claims = this.#mine;
    if (claims.length === 0 || this.idle() > AWAY_MS) return;
    this.#beat = performance.now();
    try {
      const { lost, elsewhere } = await post(this.urls.heartbeat, { claims, page: this.#page });
      this.#leave(elsewhere);
      this.#lose(lost);
    } catch (error) {
      if (!(error instanceof SignedOut || error instanceof Unreachable)) throw error;
    }
  }

  /** Leave what is ahead to the other tab that took it over. The present item stays: an answer to it counts in either tab. */
  #leave(elsewhere) {
    if (elsewhere.length === 0) return;
    this.#drop(elsewhere);
    this.#adopt = true;
  }

  #lose(lost) {
    if (lost.length === 0) return;
    this.#drop(lost);
    this.onLost(lost);
    this.fill();
  }

  #drop(claims) {
    for (const card of this.ahead.filter(({ claim }) => claims.includes(claim))) free(card);
    this.ahead = this.ahead.filter(({ claim }) => !claims.includes(claim));
  }

  /** Whether nobody seems to look: then no new items are taken from those who do. */
  #away() {
    const away = document.hidden || this.idle() > AWAY_MS;
    this.#slept ||= away;
    return away;
  }

  /** After a pause (a closed laptop, a hidden tab) ask at once what is still mine. */
  #wake() {
    if (performance.now() - this.#beat > this.beatMs * 1.5) this.heartbeat();
    if (!this.#slept) return;
    this.#slept = false;
    this.fill();
  }

  /** Leave the server what this page holds, what a question on its way, or one given up, may still bring it included. */
  #giveBack() {
    postLast(this.urls.leave, { page: this.#page, kept: this.others() });
  }

  /** The address of an action on a card's claim. */
  url(action, card) {
    return address(this.urls[action], card.claim);
  }
}
