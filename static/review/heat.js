// The heatmap as a layer over the photo: fixed scale (0 to 255 stands for 0 to 1, never stretched for one picture).

import { SCALE } from "./colours.js";

/** Return a small canvas with one pixel a cell; what is low is clear, so that it does not hide the photo. */
export function tileOf({ rows, columns, values }) {
  const bytes = Uint8Array.from(atob(values), (letter) => letter.charCodeAt(0));
  const tile = document.createElement("canvas");
  tile.width = columns;
  tile.height = rows;
  const context = tile.getContext("2d");
  const image = context.createImageData(columns, rows);
  for (let cell = 0; cell < rows * columns; cell += 1) {
    const value = bytes[cell] ?? 0;
    const [red, green, blue] = SCALE[value];
    image.data.set([red, green, blue, Math.min(255, value * 1.6)], cell * 4);
  }
  context.putImageData(image, 0, 0);
  return tile;
}

/** Draw `tile` over the photo of `viewer`; `tile` null clears the layer. */
export function drawHeat(canvas, viewer, tile, strength) {
  const ratio = devicePixelRatio || 1;
  if (canvas.width !== viewer.canvas.width || canvas.height !== viewer.canvas.height) {
    canvas.width = viewer.canvas.width;
    canvas.height = viewer.canvas.height;
  }
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (!tile || !viewer.picture) return;
  const { x, y } = viewer.toScreen(0, 0);
  const { width, height } = viewer.size;
  context.globalAlpha = strength;
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(tile, x * ratio, y * ratio, width * ratio, height * ratio);
}
