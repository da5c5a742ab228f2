// The dial: sliders that answer at once, and a sentence that says what Apply would change. Without it the form works as it is.

import { Threshold } from "./threshold.js";
import { count, ofClass, outcome, percent, wilson } from "./what-if.js";

const form = document.querySelector("[data-dial]");
const data = JSON.parse(document.getElementById("what-if").textContent);
// As the server does: fewer say nothing.
const LEAST_N = 10;

const thresholds = [...form.querySelectorAll("[data-class]")].map((element) => new Threshold(element, paint, describe));

function describe(key, value) {
  const all = data.classes[key].automated[0];
  return `${count(ofClass(data, key, value).automated)} of ${count(all)} alone`;
}

function chosen() {
  return Object.fromEntries(thresholds.map((one) => [one.key, one.value]));
}

function paintOutcome() {
  if (!data.items) return;
  const found = outcome(data, chosen());
  const share = Math.round((found.automated / data.items) * 100);
  const words = [bold("At these thresholds the model would have decided ", count(found.automated), ` of ${count(data.items)} items alone (${share} %). `)];
  if (!found.checked) words.push("None of those was checked blind yet.");
  else {
    const [low, high] = wilson(found.wrong, found.checked);
    const rest = found.checked < LEAST_N
      ? " wrong, too few to say more."
      : ` wrong, which is ${percent(found.wrong / found.checked)} (${percent(low)} to ${percent(high)}).`;
    words.push(bold(`Of those, ${count(found.checked)} were checked blind: `, count(found.wrong), rest));
  }
  form.querySelector("[data-what-if]").replaceChildren(...words);
  form.querySelector("[data-share-bar=partial]").setAttribute("width", share);
  const text = form.querySelector("[data-share-text=partial]");
  if (text) text.textContent = `${share} %`;
}

function bold(before, strong, after) {
  const part = document.createDocumentFragment();
  const element = document.createElement("strong");
  element.textContent = strong;
  part.append(before, element, after);
  return part;
}

/** Say what is different from the policy in force. */
function changes() {
  const words = [];
  const mode = form.querySelector("input[name=mode]:checked");
  if (mode && mode.value !== form.dataset.now) {
    words.push(`${titleOf(form.dataset.now)} → ${titleOf(mode.value)}`);
  }
  for (const one of thresholds) {
    const now = data.thresholds[one.key] ?? null;
    if (now !== one.value) words.push(`${one.name} ${shown(now)} → ${shown(one.value)}`);
  }
  for (const input of form.querySelectorAll(".advanced :is(input, select)")) {
    const was = input.tagName === "SELECT" ? [...input.options].find((option) => option.defaultSelected)?.value : input.defaultValue;
    if (was !== input.value) words.push(input.labels[0].textContent.replace(/[,(].*/, "").trim());
  }
  return words;
}

function titleOf(mode) {
  return form.querySelector(`[data-mode=${mode}] .notch-title`).firstChild.textContent.trim();
}

function shown(value) {
  return value === null ? "never alone" : `${Math.round(value * 1e6) / 1e4} %`;
}

function paint() {
  for (const one of thresholds) one.paint();
  paintOutcome();
  const words = changes();
  form.toggleAttribute("data-changed", words.length > 0);
  form.querySelector("[data-summary]").textContent = words.length
    ? `Apply will change: ${words.join(", ")}`
    : "The dial stands as it is in force.";
}

form.addEventListener("change", (event) => {
  if (event.target.value === "partial") form.querySelector("[data-thresholds]").open = true;
  paint();
});
form.addEventListener("input", (event) => event.target.name === "reason" || paint());
paint();
