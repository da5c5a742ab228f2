// After a reload: the last ten answers from the server, and over them what was answered here and is not saved yet.

import { get, Refused, SignedOut, Unreachable } from "./api.js";

async function recent(url) {
  try {
    return (await get(url)).judgements;
  } catch (error) {
    if (error instanceof Refused || error instanceof SignedOut || error instanceof Unreachable) return [];
    throw error;
  }
}

/** Fill the strip and show, over what the server knows, the answers that wait in the outbox. */
export async function remember({ config, strip, outbox }) {
  strip.load(await recent(config.urls.recent));
  for (const waiting of outbox.entries) {
    if (waiting.line !== config.line.slug || waiting.kind === "skip") continue;
    const entry = strip.byItem(waiting.item) ?? { item: waiting.item, ...waiting.shown };
    Object.assign(entry, { answer: waiting.body.answer, regions: waiting.body.regions, state: "waiting", key: waiting.key });
    strip.add(entry);
  }
}
