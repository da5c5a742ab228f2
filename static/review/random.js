// Names that nobody else comes upon.

/** Return a random key of up to 36 characters. Where the page is not served securely, `randomUUID` is missing for that reason. */
export function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
