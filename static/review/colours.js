// The colour scale of the heatmap: from dark violet over red to pale yellow, with lightness rising evenly.
//
// It is computed in OKLCH, where equal steps look equal (B. Ottosson, "A perceptual color space for image processing", 2020),
// so that a step in the map means a step in the value, and so that it still reads where red and green look alike.

const LIGHTNESS = [0.22, 0.95];
const HUE = [300, 465]; // degrees; 465 is 105 after a full turn, so that the way leads over red
const CHROMA = 0.19;

function toByte(linear) {
  const clipped = Math.min(1, Math.max(0, linear));
  const encoded = clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055;
  return Math.round(encoded * 255);
}

/** Return the sRGB bytes of an OKLCH colour; `hue` in degrees. */
export function fromOklch(lightness, chroma, hue) {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    toByte(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    toByte(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    toByte(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

/** The scale: 256 colours of [red, green, blue]. */
export const SCALE = Array.from({ length: 256 }, (_, step) => {
  const t = step / 255;
  const chroma = CHROMA * (0.35 + 0.65 * Math.sin(Math.PI * Math.min(1, t * 1.05)));
  return fromOklch(LIGHTNESS[0] + t * (LIGHTNESS[1] - LIGHTNESS[0]), chroma, HUE[0] + t * (HUE[1] - HUE[0]));
});

/** Paint the scale from low (left) to high (right) as the legend. */
export function paintLegend(canvas) {
  const context = canvas.getContext("2d");
  SCALE.forEach(([red, green, blue], step) => {
    context.fillStyle = `rgb(${red} ${green} ${blue})`;
    context.fillRect((step / 256) * canvas.width, 0, canvas.width / 256 + 1, canvas.height);
  });
}
