// Small JSON values kept in the browser. Where storage is switched off or full they live as long as the page.

const PREFIX = "sluice.";
const memory = new Map();

/** Return the value kept under `name`, or `otherwise`. */
export function read(name, otherwise = null) {
  if (memory.has(name)) return memory.get(name);
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? otherwise : JSON.parse(text);
  } catch {
    return otherwise;
  }
}

/** Keep `value` under `name`; return whether it will survive a reload. */
export function write(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
    memory.delete(name);
    return true;
  } catch {
    memory.set(name, value);
    return false;
  }
}

/** Forget what is kept under `name`. */
export function remove(name) {
  memory.delete(name);
  try {
    localStorage.removeItem(PREFIX + name);
  } catch {
    // Nothing was kept there.
  }
}

/** Return the names that start with `start`, in order. */
export function names(start) {
  const found = new Set([...memory.keys()].filter((name) => name.startsWith(start)));
  try {
    for (const name of Object.keys(localStorage)) {
      if (name.startsWith(PREFIX + start)) found.add(name.slice(PREFIX.length));
    }
  } catch {
    // What is in memory is all there is.
  }
  return [...found].sort();
}
