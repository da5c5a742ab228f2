// Active time in front of an item: a hidden tab does not count, nor what comes more than 30 s after the last movement.

const IDLE_MS = 30_000;

export class Activity {
  #now;
  #sum = 0;
  #mark;
  #moved;
  #visible = true;

  constructor(now = () => performance.now()) {
    this.#now = now;
    this.#mark = this.#moved = now();
  }

  /** Begin counting from `sum` milliseconds: 0 for a new item, the earlier sum for one that is taken up again. */
  start(sum = 0) {
    this.#sum = sum;
    this.#mark = this.#moved = this.#now();
  }

  /** Note that the person moved, pressed or touched something. */
  touch() {
    this.#settle();
    this.#moved = this.#now();
  }

  /** Note that the tab came to the front or went away. */
  see(visible) {
    this.#settle();
    this.#visible = visible;
    this.#mark = this.#now();
    if (visible) this.#moved = this.#mark;
  }

  /** Return the active milliseconds so far. */
  read() {
    this.#settle();
    return Math.round(this.#sum);
  }

  /** Return the milliseconds since the last movement. */
  idle() {
    return this.#now() - this.#moved;
  }

  #settle() {
    const now = this.#now();
    if (this.#visible) this.#sum += Math.max(0, Math.min(now, this.#moved + IDLE_MS) - this.#mark);
    this.#mark = now;
  }
}

/** Feed `activity` from what happens on the page. */
export function watch(activity) {
  for (const kind of ["pointermove", "pointerdown", "keydown", "wheel"]) {
    addEventListener(kind, () => activity.touch(), { passive: true, capture: true });
  }
  document.addEventListener("visibilitychange", () => activity.see(!document.hidden));
}
