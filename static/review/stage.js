// What stands over the photo: what item this is, why there is none, and whether the answers are saved.

import { paintTimes } from "../time.js";

const STATES = ["loading", "empty", "offline", "broken", "lost", "signed-out"];

export class Stage {
  trouble = null; // "offline" or "signed-out": why no new items come

  /** `look(answer)` gives {word, verdict} of an answer. */
  constructor({ viewer, look }) {
    Object.assign(this, { viewer, look });
    this.panels = new Map(STATES.map((state) => [state, document.querySelector(`[data-stage="${state}"]`)]));
    const byId = (name) => document.getElementById(name);
    Object.assign(this, { caption: byId("caption"), pastBar: byId("past"), saved: byId("saved"), alarm: byId("trouble"), said: byId("said") });
  }

  /** Show the state of `session`. */
  paint(session) {
    const state = this.#stateOf(session);
    this.viewer.element.dataset.state = state;
    for (const [name, panel] of this.panels) panel.hidden = name !== state;
    this.#paintCaption(session);
    this.#paintPast(session.past);
    this.#paintFacts(session.past ? null : session.queue.present);
  }

  #stateOf({ past, queue }) {
    const what = past ?? queue.present;
    if (!what) return this.trouble ?? "empty";
    if (!past && what.lost) return "lost";
    if (what.bitmap) return "item";
    return what.settled ? "broken" : "loading";
  }

  #paintCaption({ past, queue }) {
    const card = past ? null : queue.present;
    this.caption.hidden = !card;
    if (!card) return;
    this.caption.querySelector("[data-name]").textContent = card.external_id || `Item ${card.item.slice(-8)}`;
    this.caption.querySelector("[data-reason]").textContent = card.reason_words;
    const overdue = card.due_at !== null && new Date(card.due_at) < new Date();
    this.caption.querySelector("[data-overdue]").hidden = !overdue;
    const note = this.caption.querySelector("[data-note]");
    note.textContent = card.note;
    note.hidden = !card.note;
    this.caption.querySelector("[data-blind]").hidden = !card.blind;
  }

  #paintPast(entry) {
    this.pastBar.hidden = !entry;
    for (const button of document.querySelectorAll("[data-label]")) {
      if (entry && button.dataset.label === entry.answer) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
    if (!entry) return;
    this.pastBar.querySelector("[data-past-name]").textContent = entry.name || "This item";
    this.pastBar.querySelector("[data-past-answer]").textContent = this.look(entry.answer).word;
  }

  #paintFacts(card) {
    const list = document.getElementById("facts");
    list.hidden = !card;
    if (!card || list.dataset.item === card.item) return;
    list.dataset.item = card.item;
    const rows = [["Came", timeOf(card.received_at)]];
    if (card.due_at) rows.push(["Due", timeOf(card.due_at)]);
    for (const [name, value] of Object.entries(card.metadata ?? {})) {
      rows.push([name, typeof value === "object" ? JSON.stringify(value) : String(value)]);
    }
    list.replaceChildren(...rows.flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
    paintTimes(list);
  }

  /** Say a verdict to those who cannot see the strip. */
  tell(answer) {
    this.said.textContent = this.look(answer).word;
  }

  /** Show the state of the queue as the server gave it. */
  paintQueue({ open, overdue, most, oldest_at: oldest }) {
    // What is counted is counted up to `most`.
    const counted = (number) => (number < most ? String(number) : `${number}+`);
    const part = (name) => document.querySelector(`[data-queue="${name}"]`);
    part("open").textContent = counted(open);
    part("overdue").hidden = overdue === 0;
    part("overdue-count").textContent = counted(overdue);
    part("oldest").hidden = oldest === null;
    if (oldest !== null) part("oldest").querySelector("time").dateTime = oldest;
    paintTimes(part("oldest"));
  }

  /** Show whether the answers in `outbox` are saved; loudly where they are not. */
  paintSaved(outbox) {
    const waiting = outbox.entries.length;
    const state = outbox.stopped ? "stopped" : outbox.failures > 0 ? "failing" : waiting > 0 ? "saving" : "saved";
    Object.assign(this.saved.dataset, { state, waiting });
    const words = { saved: "All saved", saving: `Saving ${waiting}`, failing: `Not saved: ${waiting}`, stopped: `Not saved: ${waiting}` }[state];
    this.saved.querySelector("[data-words]").textContent = words;
    document.body.toggleAttribute("data-stopped", outbox.stopped);
    for (const button of document.querySelectorAll("[data-answers]")) button.setAttribute("aria-disabled", String(outbox.stopped));
    this.alarm.hidden = !outbox.stopped;
    if (!outbox.stopped) return;
    const answers = waiting === 1 ? "1 answer is" : `${waiting} answers are`;
    this.alarm.querySelector("[data-words]").textContent = outbox.signedOut
      ? `${answers} not saved: you are logged out. They are kept here; log in again and they are sent.`
      : `${answers} not saved: the server does not answer. They are kept here and sent as soon as it does. Nothing more is taken until then.`;
    this.alarm.querySelector("[data-log-in]").hidden = !outbox.signedOut;
  }
}

function element(name, content) {
  const made = document.createElement(name);
  made.append(content);
  return made;
}

function timeOf(iso) {
  const time = element("time", "");
  time.dateTime = iso;
  return time;
}
