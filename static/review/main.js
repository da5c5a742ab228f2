// The console, put together: reads the page's configuration, builds the parts and connects keys, buttons and pointers to them.

import { post } from "./api.js";
import { Activity, watch } from "./activity.js";
import { Book } from "./book.js";
import { Boxes } from "./boxes.js";
import { BoxPanel } from "./boxpanel.js";
import { paintLegend } from "./colours.js";
import { moveByHand } from "./gestures.js";
import { isPressing, isTyping, keyOf, Keys } from "./keys.js";
import { KeyPanel } from "./keypanel.js";
import { Light } from "./light.js";
import { svg } from "./marks.js";
import { Outbox } from "./outbox.js";
import { Overlay } from "./overlay.js";
import { Queue } from "./queue.js";
import { remember } from "./remember.js";
import { Session } from "./session.js";
import { Stage } from "./stage.js";
import { Strip } from "./strip.js";
import { Viewer } from "./viewer.js";
import { toast } from "../toast.js";

const PAN_PX = 80;
const ZOOM = 1.3;

const byId = (name) => document.getElementById(name);
const config = JSON.parse(byId("console-config").textContent);
const classes = new Map(config.classes.map((each) => [each.key, each]));

/** The word and the verdict (which gives icon and colour) of an answer. */
function look(answer) {
  if (!answer) return { word: "Unsure", verdict: "unsure" };
  const found = classes.get(answer);
  return { word: found?.name ?? answer, verdict: found?.negative ? "pass" : "fail" };
}

const element = byId("viewer");
const viewer = new Viewer(element, byId("photo"));
const [found, drawn] = [svg("g"), svg("g")];
byId("marks").append(found, drawn);
const activity = new Activity();
watch(activity);
const stage = new Stage({ viewer, look });
const strip = new Strip({ element: byId("strip"), look, onPick: (entry) => session.goTo(entry) });
const nameOf = (label) => (label ? look(label).word : "");

const outbox = new Outbox({
  user: config.user,
  reviseUrl: config.urls.revise,
  onSaved: (entry, answer) => session.onSaved(entry, answer),
  onRefused: (entry, error) => session.onRefused(entry, error),
  onChange: () => stage.paintSaved(outbox),
});

const queue = new Queue({
  urls: config.urls,
  claimSeconds: config.claim_seconds,
  others: () => outbox.claims,
  idle: () => activity.idle(),
  onCards: () => session.onCards(),
  onCounts: (counts) => stage.paintQueue(counts),
  onLost: (claims) => session.onLost(claims),
  onTrouble: (trouble) => {
    stage.trouble = trouble;
    stage.paint(session);
  },
});

const overlay = new Overlay({
  viewer,
  heat: byId("heat"),
  group: found,
  words: byId("model-words"),
  nameOf,
  firstLookMs: config.first_look_ms,
  fetchPrediction: async (card) => (await post(session.revealUrl(card), {})).prediction,
  activeMs: () => activity.read(),
  say: toast,
});

const boxes = new Boxes({ viewer, group: drawn, nameOf, onChange: () => paintBoxes() });
const panel = new BoxPanel(byId("box-panel"), boxes);
const session = new Session({ config, viewer, overlay, boxes, queue, outbox, strip, activity, stage, say: toast });
const light = new Light(byId("light"), viewer, overlay);
const keys = new Keys(config.classes, `keys.${config.user}.${config.line.slug}`);
const help = new KeyPanel(byId("help"), keys);
const book = new Book(byId("book"));
const note = byId("note");

/** What each action does; `since` is when it was asked for. */
const actions = {
  unsure: (since) => judge("", since),
  skip: (since) => session.skip(since),
  undo: () => session.undo(),
  present: () => leave(),
  overlay: () => overlay.toggle(),
  box: () => drawBoxes(),
  fit: () => viewer.fit(),
  "zoom-in": () => viewer.zoomBy(ZOOM),
  "zoom-out": () => viewer.zoomBy(1 / ZOOM),
  left: () => viewer.panBy(PAN_PX, 0),
  right: () => viewer.panBy(-PAN_PX, 0),
  up: () => viewer.panBy(0, PAN_PX),
  down: () => viewer.panBy(0, -PAN_PX),
  darker: () => light.by(-1, 0),
  brighter: () => light.by(1, 0),
  flatter: () => light.by(0, -1),
  crisper: () => light.by(0, 1),
  light: () => fold(byId("light"), '[data-action="light"]'),
  side: () => fold(byId("side"), '[data-action="side"]', "data-open"),
  note: () => {
    if (!note.checkVisibility()) actions.side();
    note.focus();
  },
  help: () => help.toggle(),
  next: (since) => session.next(since),
  retry: () => outbox.send(),
  reload: () => session.reload(),
};
const HELD = new Set(["left", "right", "up", "down", "zoom-in", "zoom-out", "darker", "brighter", "flatter", "crisper"]);

function run(action, since) {
  if (action.startsWith("verdict:")) judge(action.slice("verdict:".length), since);
  else actions[action]?.(since);
}

function judge(answer, since) {
  const before = element.dataset.item;
  session.judge(answer, since, note.value.trim());
  if (element.dataset.item !== before) note.value = "";
}

function drawBoxes() {
  boxes.turn(!boxes.on);
  if (boxes.on) element.focus({ preventScroll: true });
}

function paintBoxes() {
  panel.paint();
  byId("side").toggleAttribute("data-boxes", boxes.on);
  document.querySelector('[data-action="box"]').setAttribute("aria-pressed", String(boxes.on));
}

/** Escape closes what is open, the nearest first. */
function leave() {
  if (!byId("light").hidden) actions.light();
  else if (!help.element.hidden) help.toggle(false);
  else session.returnToPresent(performance.now());
}

function fold(part, opener, attribute = "hidden") {
  const open = attribute === "hidden" ? part.hidden : !part.hasAttribute(attribute);
  part.toggleAttribute(attribute, attribute === "hidden" ? !open : open);
  document.querySelector(opener).setAttribute("aria-expanded", String(open));
}

// --- Keys ---

function onKeyDown(event) {
  if (help.take(event)) return event.preventDefault();
  // A held Enter would press the focused button again and again: twenty phones a second.
  if (event.repeat && isPressing(event)) return event.preventDefault();
  if (event.ctrlKey || event.altKey || event.metaKey) return undefined;
  if (isTyping(event)) return event.key === "Escape" || event.key === "Enter" ? element.focus({ preventScroll: true }) : undefined;
  if (isPressing(event)) return undefined;
  if (event.target === element || !event.target.closest?.("button, a, summary, input, [data-no-drag]")) {
    if (boxes.key(event)) return event.preventDefault();
  }
  if (event.key === "Enter" && queue.present?.lost) return session.next(event.timeStamp);
  return onShortcut(event);
}

function onShortcut(event) {
  if (event.target.type === "range") return;
  const key = keyOf(event);
  const action = keys.on || key === "?" || key === "Escape" ? keys.actionOf(key) : undefined;
  if (!action) return;
  event.preventDefault();
  if (event.shiftKey && action.startsWith("verdict:")) return void book.open(action.slice("verdict:".length));
  if (event.repeat && !HELD.has(action)) return;
  if (action === "peek") overlay.peek(true);
  else run(action, event.timeStamp);
}

addEventListener("keydown", onKeyDown);
addEventListener("keyup", (event) => keys.actionOf(keyOf(event)) === "peek" && overlay.peek(false));
addEventListener("blur", () => overlay.peek(false));

// --- Buttons ---

// A press with mouse or finger leaves the focus where it was, so that Space stays the key for peeking.
document.addEventListener("mousedown", (event) => event.target.closest("[data-action]") && event.preventDefault());
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-action]");
  if (button) run(button.dataset.action, event.timeStamp);
});
const peekButton = byId("peek");
for (const kind of ["pointerup", "pointercancel", "pointerleave"]) peekButton.addEventListener(kind, () => overlay.peek(false));
peekButton.addEventListener("pointerdown", () => overlay.peek(true));
peekButton.addEventListener("contextmenu", (event) => event.preventDefault());
// A button cannot be held down by a switch or a screen reader: there it turns the overlay on and off.
peekButton.addEventListener("click", (event) => event.detail === 0 && overlay.toggle());

// --- Start ---

viewer.onView(() => {
  const zoomed = viewer.picture && viewer.size.width > element.clientWidth + 1 || viewer.size.height > element.clientHeight + 1;
  element.toggleAttribute("data-zoomed", Boolean(zoomed));
});
moveByHand(viewer, (point) => boxes.grab(point));
book.follow(byId("verdicts"));
for (const canvas of document.querySelectorAll("[data-legend]")) paintLegend(canvas);
keys.paint();
stage.paint(session);
await remember({ config, strip, outbox, session });
outbox.start();
queue.start();
