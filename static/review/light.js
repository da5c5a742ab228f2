// Brightness, contrast and the strength of the overlay: sliders and keys for the same three values.

const STEP = 1.15;

export class Light {
  /** `panel` holds the sliders; `viewer` and `overlay` take the values. */
  constructor(panel, viewer, overlay) {
    Object.assign(this, { panel, viewer, overlay });
    this.brightness = panel.querySelector('[name="brightness"]');
    this.contrast = panel.querySelector('[name="contrast"]');
    this.strength = panel.querySelector('[name="strength"]');
    this.strength.value = overlay.strength;
    panel.addEventListener("input", () => this.#apply());
    panel.querySelector("[data-light-reset]").addEventListener("click", () => this.reset());
  }

  /** Change brightness and contrast by so many steps. */
  by(brightness, contrast) {
    const { light } = this.viewer;
    this.viewer.setLight(light.brightness * STEP ** brightness, light.contrast * STEP ** contrast);
    this.#paint();
  }

  reset() {
    this.viewer.setLight(1, 1);
    this.#paint();
  }

  #apply() {
    this.viewer.setLight(2 ** this.brightness.valueAsNumber, 2 ** this.contrast.valueAsNumber);
    this.overlay.setStrength(this.strength.valueAsNumber);
  }

  #paint() {
    this.brightness.value = Math.log2(this.viewer.light.brightness);
    this.contrast.value = Math.log2(this.viewer.light.contrast);
  }
}
