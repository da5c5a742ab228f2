// One class on the sliders: its switch, its number, its slider and its picture. The number is what is sent; the slider only sets it.

export class Threshold {
  /** `changed` is called when somebody moves something; `describe(key, value)` returns the words beside the number. */
  constructor(element, changed, describe) {
    this.key = element.dataset.class;
    this.name = element.querySelector(".check strong").textContent;
    this.alone = element.querySelector("input[type=checkbox]");
    this.number = element.querySelector("input[type=number]");
    this.slider = element.querySelector("[data-slider]");
    this.limit = element.querySelector("[data-limit]");
    this.field = element.querySelector("[data-alone]");
    this.result = element.querySelector("[data-class-result]");
    this.width = element.querySelector("svg").viewBox.baseVal.width;
    this.describe = describe;
    this.slider.hidden = false;
    this.slider.addEventListener("input", () => {
      this.number.value = this.slider.value;
      this.alone.checked = true;
      changed();
    });
    this.number.addEventListener("input", () => {
      this.slider.value = this.number.value || 100;
      this.alone.checked = this.number.value !== "";
      changed();
    });
    this.alone.addEventListener("change", () => {
      if (this.alone.checked && this.number.value === "") this.number.value = this.slider.value;
      changed();
    });
  }

  /** The threshold as a share, or null where the model never decides this class alone. */
  get value() {
    const typed = Number.parseFloat(this.number.value);
    return this.alone.checked && typed > 0 && typed <= 100 ? Math.round(typed * 1e8) / 1e10 : null;
  }

  paint() {
    const value = this.value;
    const x = (value ?? 1) * this.width;
    this.limit.setAttribute("x1", x);
    this.limit.setAttribute("x2", x);
    this.limit.setAttribute("visibility", value === null ? "hidden" : "visible");
    this.field.setAttribute("x", x);
    this.field.setAttribute("width", value === null ? 0 : this.width - x);
    this.result.textContent = value === null ? "always a person" : this.describe(this.key, value);
  }
}
