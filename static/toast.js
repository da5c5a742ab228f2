// A short message that nobody has to answer. It is read aloud once and goes away by itself.

const STAY_MS = 6000;

/** Show `text` for a few seconds; `tone` "bad" for what went wrong. */
export function toast(text, tone = "info") {
  const place = document.getElementById("toasts");
  const element = document.createElement("p");
  element.className = "toast";
  element.dataset.tone = tone;
  element.textContent = text;
  place.replaceChildren(element);
  setTimeout(() => element.remove(), STAY_MS);
}
