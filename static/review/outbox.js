// Answers on their way. Each is kept in the browser until the server has it, in the order in which they were given.
//
// An entry is {key, kind: "judge" | "skip" | "revise", line, item, claim, url?, judgement?, after?, body, shown}. The key makes a
// repeated send count once. A revision names the judgement it replaces, or in `after` the key of the answer that will become it.

import { address, post, Refused, SignedOut, Unreachable } from "./api.js";
import { newKey } from "./random.js";
import { names, read, remove, write } from "./storage.js";

const WAITS_MS = [1000, 2000, 4000, 8000, 15_000];
const STOP_AFTER = 2; // failed saves in a row, after which no more answers are taken

export class Outbox {
  entries = [];
  failures = 0;
  signedOut = false;
  #sending = false;
  #timer = 0;

  /** Called back: `onSaved(entry, answer)`, `onRefused(entry, error)`, `onChange()`. */
  constructor({ user, reviseUrl, onSaved, onRefused, onChange }) {
    Object.assign(this, { reviseUrl, onSaved, onRefused, onChange });
    this.prefix = `outbox.${user}.`;
    for (const name of names(this.prefix)) this.entries.push(read(name));
    this.entries.sort((a, b) => a.number - b.number);
  }

  start() {
    addEventListener("online", () => this.send());
    this.send();
    this.onChange();
  }

  get stopped() {
    return this.failures >= STOP_AFTER || this.signedOut;
  }

  /** Claims whose answers are not saved yet: they have to be kept alive. */
  get claims() {
    return this.entries.filter((entry) => entry.kind !== "revise").map((entry) => entry.claim);
  }

  /** Take an answer and send it as soon as possible; return its key. */
  add(entry) {
    const key = newKey();
    const kept = { ...entry, key, number: Date.now() * 1000 + (this.entries.length % 1000) };
    this.entries.push(kept);
    write(this.prefix + key, kept);
    this.send();
    this.onChange();
    return key;
  }

  /** Send what waits, one after the other, until all is saved or the connection fails. */
  async send() {
    clearTimeout(this.#timer);
    if (this.#sending) return;
    this.#sending = true;
    try {
      while (this.entries.length > 0) await this.#sendFirst();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#sending = false;
    }
    this.onChange();
  }

  async #sendFirst() {
    const entry = this.entries[0];
    try {
      const answer = await post(this.#url(entry), entry.body, { key: entry.key });
      this.#recovered();
      this.#done(entry, answer.judgement);
      this.onSaved(entry, answer);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#recovered();
      this.#refuse(entry, error);
    }
    this.onChange();
  }

  #recovered() {
    this.failures = 0;
    this.signedOut = false;
  }

  #url(entry) {
    return entry.kind === "revise" ? address(this.reviseUrl, entry.judgement) : entry.url;
  }

  #fail(error) {
    if (!(error instanceof Unreachable || error instanceof SignedOut)) throw error;
    this.failures += 1;
    this.signedOut = error instanceof SignedOut;
    this.retryAt = Date.now() + WAITS_MS[Math.min(this.failures, WAITS_MS.length) - 1];
    this.#timer = setTimeout(() => this.send(), this.retryAt - Date.now());
  }

  /** Forget a saved entry, and tell the revisions that wait for it which judgement they replace. */
  #done(entry, judgement) {
    this.#forget(entry);
    for (const waiting of this.entries.filter(({ after }) => after === entry.key)) {
      waiting.judgement = judgement;
      write(this.prefix + waiting.key, waiting);
    }
  }

  /** Forget a refused entry, and with it the revisions of what never came to be. */
  #refuse(entry, error) {
    this.#forget(entry);
    this.onRefused(entry, error);
    const orphans = this.entries.filter(({ kind, after, judgement }) => kind === "revise" && after === entry.key && !judgement);
    for (const orphan of orphans) this.#refuse(orphan, error);
  }

  #forget(entry) {
    this.entries = this.entries.filter((other) => other !== entry);
    remove(this.prefix + entry.key);
  }
}
