// The label book: the entry of the class under the pointer, the focus, or Shift with its key.

export class Book {
  constructor(element) {
    this.entries = [...element.querySelectorAll("[data-book]")];
    this.element = element;
  }

  /** Show the entry of a class; it stays until another one is asked for, so that it can be read at leisure. */
  open(label) {
    const entry = this.entries.find(({ dataset }) => dataset.book === label);
    if (!entry || !entry.hidden) return;
    for (const other of this.entries) other.hidden = other !== entry;
    this.element.dataset.open = label;
    this.element.scrollTop = 0;
  }

  /** Follow the pointer and the focus over the buttons in `group`. */
  follow(group) {
    const openFor = (event) => {
      const label = event.target.closest("[data-label]")?.dataset.label;
      if (label) this.open(label);
    };
    group.addEventListener("pointerover", openFor);
    group.addEventListener("focusin", openFor);
  }
}
