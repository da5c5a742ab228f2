// The photo: drawing, zoom and pan. Lengths of the picture are shares from 0 to 1; lengths on the screen are CSS pixels.

const DEEPEST = 24; // times the size at which the photo fits
const CRISP_FROM = 4; // screen pixels a picture pixel, from where single pixels are shown as squares

const clamp = (value, least, most) => Math.min(most, Math.max(least, value));

export class Viewer {
  #bitmap = null;
  #view = { scale: 1, x: 0, y: 0 };
  #fitted = true;
  #listeners = [];
  #frame = 0;

  constructor(element, canvas) {
    this.element = element;
    this.canvas = canvas;
    this.light = { brightness: 1, contrast: 1 };
    new ResizeObserver(() => this.#resize()).observe(element);
    this.#resize();
  }

  /** Call `listener` after each change of what is seen. */
  onView(listener) {
    this.#listeners.push(listener);
  }

  /** Draw `bitmap` now; `keepZoom` keeps the part of the picture that was looked at. */
  show(bitmap, keepZoom = false) {
    const stays = keepZoom && !this.#fitted && this.#bitmap?.width === bitmap.width && this.#bitmap?.height === bitmap.height;
    this.#bitmap = bitmap;
    if (!stays) this.#setFit();
    this.#draw();
  }

  /** Show nothing. */
  clear() {
    this.#bitmap = null;
    this.#draw();
  }

  get picture() {
    return this.#bitmap;
  }

  /** Width and height of the photo on the screen. */
  get size() {
    return { width: (this.#bitmap?.width ?? 1) * this.#view.scale, height: (this.#bitmap?.height ?? 1) * this.#view.scale };
  }

  /** Where a point of the picture lies on the screen. */
  toScreen(x, y) {
    return { x: this.#view.x + x * this.size.width, y: this.#view.y + y * this.size.height };
  }

  /** The point of the picture under a point of the screen, kept inside the picture. */
  toPicture(x, y) {
    return {
      x: clamp((x - this.#view.x) / this.size.width, 0, 1),
      y: clamp((y - this.#view.y) / this.size.height, 0, 1),
    };
  }

  /** The middle of what is seen, as a point of the screen. */
  get centre() {
    return { x: this.element.clientWidth / 2, y: this.element.clientHeight / 2 };
  }

  fit() {
    this.#setFit();
    this.#later();
  }

  /** Zoom by `factor` so that the point under (x, y) stays where it is. */
  zoomBy(factor, { x, y } = this.centre) {
    if (!this.#bitmap) return;
    const fit = this.#fitScale();
    const scale = clamp(this.#view.scale * factor, fit, Math.max(fit * DEEPEST, 8));
    const real = scale / this.#view.scale;
    this.#view = { scale, x: x - (x - this.#view.x) * real, y: y - (y - this.#view.y) * real };
    this.#fitted = scale === fit;
    if (this.#fitted) this.#setFit();
    this.#hold();
    this.#later();
  }

  panBy(dx, dy) {
    this.#view.x += dx;
    this.#view.y += dy;
    this.#hold();
    this.#later();
  }

  /** Set brightness and contrast, 1 being the photo as it is. */
  setLight(brightness, contrast) {
    this.light = { brightness: clamp(brightness, 0.25, 4), contrast: clamp(contrast, 0.25, 4) };
    const { brightness: b, contrast: c } = this.light;
    this.canvas.style.filter = b === 1 && c === 1 ? "" : `brightness(${b}) contrast(${c})`;
  }

  #fitScale() {
    const { clientWidth, clientHeight } = this.element;
    return Math.min(clientWidth / (this.#bitmap?.width ?? 1), clientHeight / (this.#bitmap?.height ?? 1));
  }

  #setFit() {
    const scale = this.#fitScale();
    const { clientWidth, clientHeight } = this.element;
    this.#view = {
      scale,
      x: (clientWidth - (this.#bitmap?.width ?? 0) * scale) / 2,
      y: (clientHeight - (this.#bitmap?.height ?? 0) * scale) / 2,
    };
    this.#fitted = true;
  }

  /** Keep the photo from being pushed off the screen: centred where it is smaller, filling where it is larger. */
  #hold() {
    const { width, height } = this.size;
    const along = (place, length, room) => (length <= room ? (room - length) / 2 : clamp(place, room - length, 0));
    this.#view.x = along(this.#view.x, width, this.element.clientWidth);
    this.#view.y = along(this.#view.y, height, this.element.clientHeight);
  }

  #resize() {
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.max(1, Math.round(this.element.clientWidth * ratio));
    this.canvas.height = Math.max(1, Math.round(this.element.clientHeight * ratio));
    if (this.#fitted) this.#setFit();
    else this.#hold();
    this.#draw();
  }

  #later() {
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const context = this.canvas.getContext("2d", { alpha: false });
    const ratio = devicePixelRatio || 1;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = getComputedStyle(this.element).backgroundColor;
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    if (this.#bitmap) {
      context.imageSmoothingEnabled = this.#view.scale < CRISP_FROM;
      context.imageSmoothingQuality = "medium";
      const { width, height } = this.size;
      context.drawImage(this.#bitmap, this.#view.x * ratio, this.#view.y * ratio, width * ratio, height * ratio);
    }
    for (const listener of this.#listeners) listener();
  }
}
