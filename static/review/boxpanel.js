// The boxes as numbers and a class: the way for those who cannot drag, and for those who want to be exact.

const FIELDS = ["x", "y", "width", "height"];

export class BoxPanel {
  constructor(element, boxes) {
    this.element = element;
    this.boxes = boxes;
    this.fields = FIELDS.map((name) => element.querySelector(`[name="${name}"]`));
    this.choice = element.querySelector('[name="box"]');
    this.label = element.querySelector('[name="label"]');
    this.status = element.querySelector("[data-box-status]");
    this.#listen();
  }

  #listen() {
    for (const field of this.fields) field.addEventListener("change", () => this.#write());
    this.choice.addEventListener("change", () => this.boxes.select(Number(this.choice.value)));
    this.label.addEventListener("change", () => this.boxes.label(this.boxes.selected, this.label.value));
    const press = (name, act) => this.element.querySelector(`[data-box="${name}"]`).addEventListener("click", act);
    press("add", () => this.boxes.add());
    press("remove", () => this.boxes.remove(this.boxes.selected));
    press("done", () => this.boxes.turn(false));
  }

  /** Width and height of the photo, in whose pixels the numbers are shown. */
  get #scale() {
    const { width = 1, height = 1 } = this.boxes.viewer.picture ?? {};
    return { x: width, width, y: height, height };
  }

  #write() {
    const values = {};
    for (const field of this.fields) {
      const number = field.valueAsNumber;
      if (Number.isFinite(number)) values[field.name] = number / this.#scale[field.name];
    }
    if (this.boxes.selected >= 0) this.boxes.change(this.boxes.selected, values);
  }

  /** Show the boxes as they are. */
  paint() {
    this.element.hidden = !this.boxes.on;
    if (!this.boxes.on) return;
    const { list, selected } = this.boxes;
    const box = list[selected];
    this.choice.replaceChildren(...list.map((_, index) => new Option(`Box ${index + 1} of ${list.length}`, index)));
    this.choice.value = selected;
    this.choice.disabled = list.length === 0;
    for (const field of this.fields) {
      field.disabled = !box;
      field.max = this.#scale[field.name];
      field.value = box ? Math.round(box[field.name] * this.#scale[field.name]) : "";
    }
    this.label.disabled = !box;
    this.label.value = box?.label ?? "";
    this.element.querySelector('[data-box="remove"]').disabled = !box;
    const words = box ? `Box ${selected + 1} of ${list.length}: ${this.fields.map((field) => field.value).join(", ")}` : `${list.length} boxes`;
    if (this.status.textContent !== words) this.status.textContent = words;
  }
}
