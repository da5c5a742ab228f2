// Talking to the server: JSON in, JSON out, and three kinds of failure that call for three different reactions.

const TIMEOUT_MS = 15_000;

/** The server understood and said no: trying again would not help. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `Refused (${status})`);
    this.status = status;
    this.code = problem.code || "";
  }
}

/** Nobody answered, or the server is in trouble: the same request may be sent again. */
export class Unreachable extends Error {}

/** The session has ended: nothing is taken until somebody logs in again. */
export class SignedOut extends Error {}

const TRY_AGAIN = new Set([408, 425, 429]);

function csrfToken() {
  return document.cookie.match(/(?:^|;\s*)csrftoken=([^;]+)/)?.[1] ?? "";
}

async function send(url, options) {
  try {
    return await fetch(url, { credentials: "same-origin", signal: AbortSignal.timeout(TIMEOUT_MS), ...options });
  } catch (error) {
    throw new Unreachable(error.message);
  }
}

async function understand(response) {
  if (response.status >= 500 || TRY_AGAIN.has(response.status)) throw new Unreachable(`The server answered ${response.status}.`);
  const isJson = /[/+]json/.test(response.headers.get("Content-Type") || "");
  // A page instead of JSON is the log-in page, or the refusal of a token that belongs to an older session.
  if (response.redirected || response.status === 401 || !isJson) throw new SignedOut("You are logged out.");
  let data;
  try {
    data = await response.json();
  } catch (error) {
    throw new Unreachable(error.message);
  }
  if (!response.ok) throw new Refused(response.status, data);
  return data;
}

/** GET `url` and return its JSON. Raises `Refused`, `Unreachable` or `SignedOut`. */
export async function get(url) {
  return understand(await send(url, { headers: { Accept: "application/json" } }));
}

/** POST `body` as JSON and return the answer. `key` makes a repeated request count once. Raises like `get`. */
export async function post(url, body, { key = "" } = {}) {
  const headers = { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrfToken() };
  if (key) headers["Idempotency-Key"] = key;
  return understand(await send(url, { method: "POST", headers, body: JSON.stringify(body) }));
}

/** POST `body` while the page is being left; nobody waits for the answer. */
export function postLast(url, body) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken() };
  fetch(url, { method: "POST", headers, body: JSON.stringify(body), credentials: "same-origin", keepalive: true }).catch(() => {
    // The claims expire by themselves.
  });
}

/** Put an id into an address of the configuration, which has a 0 in its place. */
export function address(pattern, id) {
  return pattern.replace("/0/", `/${id}/`);
}
