// The last ten answers, newest first, each with its photo, its verdict and whether it is saved; pressing one goes back to it.
//
// An entry is {item, name, photo, thumbnail?, bitmap?, answer, regions, state: "waiting" | "saved" | "refused", detail?,
// judgement?, key?, revisable}.

const LENGTH = 10;
const KEEP_BITMAPS = 2; // photos kept decoded, so that undo is at once
const SIDE = 64; // pixels of a thumbnail drawn here

export class Strip {
  entries = [];
  now = null; // the entry that is being looked at again

  /** `look(answer)` gives {word, verdict}; `onPick(entry)` is called when one is pressed. */
  constructor({ element, look, onPick }) {
    Object.assign(this, { element, look, onPick });
    element.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) onPick(this.entries[Number(button.dataset.index)]);
    });
  }

  /** Take what the server remembers, under what was answered here since. */
  load(judgements) {
    const own = new Set(this.entries.map(({ item }) => item));
    const older = judgements.filter(({ item }) => !own.has(item)).map((given) => ({
      ...given, name: given.external_id || "", state: "saved",
    }));
    this.entries = [...this.entries, ...older].slice(0, LENGTH);
    this.paint();
  }

  add(entry) {
    this.entries = [entry, ...this.entries.filter(({ item }) => item !== entry.item)];
    for (const old of this.entries.splice(LENGTH)) old.bitmap?.close();
    this.#free();
    this.paint();
  }

  /** Only the newest photos stay decoded: one of 12 megapixels takes 48 MB. */
  #free() {
    this.entries.forEach((entry, index) => {
      if (index < KEEP_BITMAPS || !entry.bitmap) return;
      entry.bitmap.close();
      entry.bitmap = null;
    });
  }

  /** The entry whose latest answer has this key. */
  byKey(key) {
    return this.entries.find((entry) => entry.key === key);
  }

  byItem(item) {
    return this.entries.find((entry) => entry.item === item);
  }

  /** The next entry to go back to, older than the one looked at now. */
  older() {
    const from = this.now ? this.entries.indexOf(this.now) + 1 : 0;
    return this.entries.slice(from).find(canChange) ?? null;
  }

  /** Mark `entry` as the one that is looked at; null for none. */
  lookAt(entry) {
    this.now = entry;
    this.paint();
  }

  paint() {
    this.element.dataset.length = this.entries.length;
    const rows = this.entries.map((entry, index) => {
      entry.row ??= this.#build(entry);
      this.#paintOne(entry, index);
      return entry.row;
    });
    const places = Array.from({ length: LENGTH - rows.length }, () => Object.assign(document.createElement("li"), { ariaHidden: "true" }));
    this.element.replaceChildren(...rows, ...places);
  }

  #build(entry) {
    const row = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.append(thumbnailOf(entry));
    row.append(button);
    return row;
  }

  #paintOne(entry, index) {
    const button = entry.row.firstElementChild;
    const { word, verdict } = this.look(entry.answer);
    const state = entry.state === "refused" ? "refused" : verdict;
    Object.assign(button.dataset, { index, item: entry.item, answer: entry.answer, state: entry.state, judgement: entry.judgement ?? "" });
    button.setAttribute("aria-disabled", String(!canChange(entry)));
    if (entry === this.now) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
    const fate = { waiting: "not saved yet", saved: "saved", refused: entry.detail }[entry.state];
    const text = [entry.name, word, fate].filter(Boolean).join(", ");
    button.setAttribute("aria-label", `${index + 1} back: ${text}`);
    button.title = text;
    if (button.dataset.icon === state) return;
    button.dataset.icon = state;
    button.querySelector("svg")?.remove();
    button.append(document.getElementById(`icon-${state}`).content.cloneNode(true));
  }
}

/** Whether an answer can still be changed. */
export function canChange(entry) {
  return entry.state !== "refused" && entry.revisable !== false;
}

function thumbnailOf(entry) {
  if (!entry.bitmap) {
    const image = new Image();
    image.alt = "";
    image.src = entry.thumbnail || entry.photo;
    return image;
  }
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const { width, height } = entry.bitmap;
  const side = Math.min(width, height);
  canvas.getContext("2d").drawImage(entry.bitmap, (width - side) / 2, (height - side) / 2, side, side, 0, 0, SIDE, SIDE);
  return canvas;
}
