// A short message that nobody has to answer. It is read aloud once and goes away by itself.

const STAY_MS = { info: 3500, bad: 10_000 };

/** Show `text` for a few seconds; longer with `tone` "bad", for what went wrong. */
export function toast(text, tone = "info") {
  const place = document.getElementById("toasts");
  const element = document.createElement("p");
  element.className = "toast";
  element.dataset.tone = tone;
  element.textContent = text;
  place.replaceChildren(element);
  setTimeout(() => element.remove(), STAY_MS[tone] ?? STAY_MS.info);
}
