// What thresholds would have done with the items of the window. Pure: the same arithmetic as monitoring/what_if.py.

// Quantile of the normal distribution for 95 %.
const Z = 1.959963984540054;

/** Return the Wilson score interval of `count` of `n`, as [low, high]. */
export function wilson(count, n) {
  if (n === 0) return [0, 1];
  const rate = count / n;
  const centre = (rate + (Z * Z) / (2 * n)) / (1 + (Z * Z) / n);
  const reach = (Z / (1 + (Z * Z) / n)) * Math.sqrt((rate * (1 - rate)) / n + (Z * Z) / (4 * n * n));
  return [count === 0 ? 0 : Math.max(0, centre - reach), count === n ? 1 : Math.min(1, centre + reach)];
}

/** Return the lowest step of the score that reaches the threshold. */
export function firstStep(threshold, steps) {
  return Math.min(steps + 1, Math.max(0, Math.ceil(threshold * steps - 1e-9)));
}

/** Return what one class would come to from `threshold` upwards; nothing where it is null. */
export function ofClass(data, key, threshold) {
  if (threshold === null) return { automated: 0, checked: 0, wrong: 0 };
  const at = firstStep(threshold, data.steps);
  const counts = data.classes[key];
  return { automated: counts.automated[at], checked: counts.checked[at], wrong: counts.wrong[at] };
}

/** Return the sum over all classes. `thresholds` maps a class to a share, or to null. */
export function outcome(data, thresholds) {
  const sum = { automated: 0, checked: 0, wrong: 0 };
  for (const [key, threshold] of Object.entries(thresholds)) {
    const found = ofClass(data, key, threshold);
    for (const name of Object.keys(sum)) sum[name] += found[name];
  }
  return sum;
}

/** Return a share in per cent with the digits that matter. */
export function percent(value) {
  const near = Math.min(value, 1 - value);
  const digits = near >= 0.1 || near === 0 ? 0 : near >= 0.01 ? 1 : 2;
  return `${(value * 100).toFixed(digits)} %`;
}

/** Return a whole number with its thousands set apart. */
export function count(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}
