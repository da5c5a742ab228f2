// The what-if page: sliders that answer at once from the curve the page brought. Without it the form works as it is.

import { Threshold } from "./threshold.js";
import { figures, placeOf } from "./trade.js";
import { count, percent } from "./what-if.js";

const form = document.querySelector("[data-trial]");
const data = JSON.parse(document.getElementById("curve").textContent);
const chart = document.querySelector("[data-trade]");
const ask = document.querySelector("[data-ask]");

const thresholds = [...form.querySelectorAll("[data-class]")].map((element) => new Threshold(element, paint, describe));
const tried = sent();

function describe(key, value) {
  const place = placeOf(data.thresholds, value);
  const all = data.decided[key].at(-1);
  return `about ${count(place < 0 ? 0 : data.decided[key][place])} of ${count(all)} alone`;
}

/** What the form holds, as text: it tells whether the figures below are still those of the draft above. */
function sent() {
  return new URLSearchParams(new FormData(form)).toString();
}

function chosen() {
  return Object.fromEntries(thresholds.map((one) => [one.key, one.value]));
}

function rate(found) {
  return found === null ? "nothing audited speaks for it" : `${percent(found.value)} (${percent(found.low)} to ${percent(found.high)})`;
}

function plain(value) {
  return value >= 10 || value === 0 ? count(Math.round(value)) : value >= 1 ? value.toFixed(1) : value.toPrecision(2);
}

function paintReadout(found) {
  const words = {
    automated: percent(found.automated),
    perHour: plain(found.perHour),
    hoursADay: found.hoursADay === null ? "not measured yet" : plain(found.hoursADay),
    escapes: rate(found.escapes),
    overkill: rate(found.overkill),
  };
  for (const [name, text] of Object.entries(words)) document.querySelector(`[data-figure=${name}]`).textContent = text;
}

function movePoint(found) {
  const point = chart?.querySelector("[data-point=draft]");
  if (!point) return;
  const { left, right, upper, bottom, top } = Object.fromEntries(Object.entries(chart.dataset).map(([key, text]) => [key, Number(text)]));
  const x = left + found.automated * (right - left);
  const y = (value) => bottom - (Math.min(value, top) / top) * (bottom - upper);
  point.querySelector(".point-mark").setAttribute("transform", `translate(${x} ${y(found.escapes?.value ?? 0)})`);
  const whisker = point.querySelector("line");
  whisker.setAttribute("visibility", found.escapes ? "visible" : "hidden");
  for (const end of ["x1", "x2"]) whisker.setAttribute(end, x);
  whisker.setAttribute("y1", y(found.escapes?.low ?? 0));
  whisker.setAttribute("y2", y(found.escapes?.high ?? 0));
  const over = found.escapes !== null && chart.dataset.limit && found.escapes.value > Number(chart.dataset.limit);
  point.toggleAttribute("data-over", Boolean(over));
}

function paint() {
  for (const one of thresholds) one.paint();
  const mode = form.elements.mode.value;
  const found = figures(data, mode, chosen(), Number(form.elements.audit_percent.value) / 100, Number(form.elements.overlap.value) || 1);
  paintReadout(found);
  movePoint(found);
  const moved = sent() !== tried;
  form.toggleAttribute("data-moved", moved);
  // Only what was compared can be asked for: the request keeps exactly these figures.
  ask?.toggleAttribute("disabled", moved);
  const hint = document.querySelector("[data-ask-hint]");
  if (hint) hint.hidden = !moved;
}

form.addEventListener("change", paint);
form.addEventListener("input", paint);
document.querySelector("[data-readout]").hidden = false;
paint();
