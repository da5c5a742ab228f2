// Pages that change by themselves: asks every two seconds whether anything moved, and says "live" on the body where it did.
//
// What shows such things fetches itself anew then (hx-trigger="live from:body"). The question costs the server one look into an
// index; it is not asked while nobody can see the answer, and more seldom where nobody moves, or where the server takes its time.

const EVERY_MS = 2000;
const IDLE_MS = 10 * 60_000; // after this long without a movement
const IDLE_EVERY_MS = 15_000;
const MOST_MS = 60_000;
const SHARE = 10; // of a server's thread a page takes no more than a tenth

class Live {
  #url;
  #stamp = null;
  #timer = 0;
  #failures = 0;
  #cost = 0;
  #told = 0;
  #moved = performance.now();
  #asking = false;

  constructor(url) {
    this.#url = url;
  }

  start() {
    for (const kind of ["pointermove", "pointerdown", "keydown", "wheel"]) {
      addEventListener(kind, () => this.#touch(), { passive: true, capture: true });
    }
    document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(this.#timer) : this.#ask()));
    addEventListener("online", () => this.#ask());
    document.addEventListener("htmx:afterRequest", () => (this.#cost = performance.now() - this.#told));
    // At once: from its stamp on nothing is missed, and what moved since the page was made is told by this first answer.
    this.#ask();
  }

  get #wait() {
    const wished = Math.max(EVERY_MS * 2 ** Math.min(this.#failures, 5), this.#cost * SHARE);
    return Math.min(MOST_MS, this.#idle ? Math.max(wished, IDLE_EVERY_MS) : wished);
  }

  get #idle() {
    return performance.now() - this.#moved > IDLE_MS;
  }

  /** Somebody is back: what they look at must not be old. */
  #touch() {
    const wasIdle = this.#idle;
    this.#moved = performance.now();
    if (wasIdle) this.#ask();
  }

  #later() {
    clearTimeout(this.#timer);
    if (this.#url && !document.hidden) this.#timer = setTimeout(() => this.#ask(), this.#wait);
  }

  async #ask() {
    if (this.#asking || !this.#url || document.hidden) return;
    this.#asking = true;
    const begun = performance.now();
    try {
      await this.#hear(await fetch(this.#url, { headers: this.#stamp ? { "If-None-Match": this.#stamp } : {} }));
      this.#failures = 0;
    } catch {
      // Unreachable: the parts of the page say so when somebody uses them.
      this.#failures += 1;
    }
    this.#cost = Math.max(this.#cost, performance.now() - begun);
    this.#asking = false;
    this.#later();
  }

  async #hear(answer) {
    if (answer.status === 403) return this.#renew();
    if (answer.status >= 500) throw new Error("The server is not well.");
    this.#stamp = answer.headers.get("ETag") ?? this.#stamp;
    if (answer.status !== 200) return undefined;
    this.#told = performance.now();
    this.#cost = 0;
    document.body.dispatchEvent(new Event("live"));
    return undefined;
  }

  /** The ticket ran out: the page itself, fetched anew, has another; where the login ended there is none, and no more questions. */
  async #renew() {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.status >= 500) throw new Error("The server is not well.");
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    this.#url = page.querySelector("[data-live]")?.dataset.live ?? "";
  }
}

/** Keep the page's figures from growing old, where it has any that move. */
export function keepLive() {
  const url = document.querySelector("[data-live]")?.dataset.live;
  if (url) new Live(url).start();
}
