// Relative times: <time datetime="2026-11-21T10:00:00Z"> reads "5 min ago", with the exact time on hover.
//
// `data-time="age"` reads "5 min" (for "oldest: 5 min"); `data-time="exact"` is left alone and only gets its title.

const STEPS = [
  [60, 1, "s"],
  [3600, 60, "min"],
  [86400, 3600, "h"],
  [86400 * 60, 86400, "d"],
];

/** Return "12 s", "5 min", "3 h" or "2 d" for a number of seconds; months and years as days would say nothing. */
export function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  for (const [limit, unit, word] of STEPS) {
    if (whole < limit) return `${Math.floor(whole / unit)} ${word}`;
  }
  return `${Math.floor(whole / 86400)} d`;
}

/** Return how far `date` is from `now` in words: "just now", "5 min ago", "in 3 h". */
export function relative(date, now = new Date()) {
  const seconds = (now - date) / 1000;
  if (Math.abs(seconds) < 10) return "just now";
  return seconds > 0 ? `${span(seconds)} ago` : `in ${span(-seconds)}`;
}

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

function paint(element, now) {
  const date = new Date(element.dateTime);
  if (Number.isNaN(date.getTime())) return;
  element.title = exact.format(date);
  if (element.dataset.time === "exact") return;
  const text = element.dataset.time === "age" ? span((now - date) / 1000) : relative(date, now);
  if (element.textContent !== text) element.textContent = text;
}

/** Write every <time> under `root` anew. */
export function paintTimes(root = document) {
  const now = new Date();
  for (const element of root.querySelectorAll("time[datetime]")) paint(element, now);
}

/** Keep the times of the page right: now, every ten seconds, and in whatever htmx swaps in. */
export function keepTimes() {
  paintTimes();
  setInterval(() => document.hidden || paintTimes(), 10_000);
  document.addEventListener("visibilitychange", () => document.hidden || paintTimes());
  document.addEventListener("htmx:afterSwap", () => paintTimes());
}
