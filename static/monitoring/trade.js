// What a draft would have done with the past, from one curve over a grid of thresholds. Pure: the server's arithmetic on a grid.

/** Return the last place of the falling grid whose threshold is not below `value`; -1 where none is: nothing reaches it. */
export function placeOf(thresholds, value) {
  let low = 0;
  let high = thresholds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (thresholds[middle] >= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Return the places of the classes that the model decides alone: of all where it decides everything, of none where people do. */
export function placesOf(data, mode, thresholds) {
  const last = data.thresholds.length - 1;
  const places = {};
  for (const key of Object.keys(data.decided)) {
    if (mode === "full") places[key] = last;
    else if (mode === "partial" && thresholds[key] !== null) places[key] = placeOf(data.thresholds, thresholds[key]);
    else places[key] = -1;
  }
  return places;
}

/** Return the figures of a draft: the share decided alone, items people look at an hour, hours of work a day, both error rates. */
export function figures(data, mode, thresholds, auditRate, overlap) {
  const places = placesOf(data, mode, thresholds);
  const automated = sum(data.decided, places);
  const looks = data.items - automated + automated * auditRate;
  const judgements = looks + data.items * auditRate * (overlap - 1);
  return {
    automated: data.items ? automated / data.items : 0,
    perHour: data.hours > 0 ? looks / data.hours : 0,
    hoursADay: data.hours > 0 && data.seconds !== null ? ((judgements * data.seconds) / 3600 / data.hours) * 24 : null,
    escapes: escapes(data, places[data.negative]),
    overkill: overkill(data, sum(data.rejected, places)),
  };
}

function escapes(data, place) {
  const n = place < 0 ? 0 : data.audited[place];
  if (n === 0) return null;
  return { value: data.wrong[place] / n, low: data.low[place], high: data.high[place] };
}

function overkill(data, count) {
  if (data.good === 0) return null;
  const { counts, low, high } = data.bounds;
  return { value: count / data.good, low: between(counts, low, count), high: between(counts, high, count) };
}

/** Return the value at `x` on straight lines through rising `xs`. */
export function between(xs, values, x) {
  let right = xs.findIndex((known) => known >= x);
  if (right < 0) right = xs.length - 1;
  if (right === 0 || xs[right] === x) return values[right];
  const share = (x - xs[right - 1]) / (xs[right] - xs[right - 1]);
  return values[right - 1] + share * (values[right] - values[right - 1]);
}

function sum(counts, places) {
  return Object.entries(places).reduce((total, [key, place]) => total + (place < 0 ? 0 : counts[key][place]), 0);
}
