// Mouse, pen and touch on the photo: drag pans (or draws, where a tool takes it), wheel and pinch zoom, double press fits.

const WHEEL_SPEED = 0.0015;
const DOUBLE_ZOOM = 2.5;

/**
 * Let people move the photo of `viewer`. `grab(point)` may return `{move(point), end(), cancel()}` to take a drag for itself.
 */
export function moveByHand(viewer, grab) {
  const pointers = new Map();
  let drag = null;
  const element = viewer.element;
  const at = (event) => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.x, y: event.clientY - box.y };
  };

  const onDown = (event) => {
    if (event.button > 0 || event.target.closest("[data-no-drag]")) return;
    element.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, at(event));
    if (pointers.size === 1) {
      drag = grab(at(event));
    } else {
      // A second finger means zoom: what the first began is taken back.
      drag?.cancel();
      drag = null;
    }
  };

  const onMove = (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = at(event);
    if (pointers.size === 2) pinch(viewer, pointers, event.pointerId, now);
    else if (drag) drag.move(now);
    else viewer.panBy(now.x - before.x, now.y - before.y);
    pointers.set(event.pointerId, now);
  };

  const onUp = (event) => {
    if (!pointers.delete(event.pointerId)) return;
    if (event.type === "pointercancel") drag?.cancel();
    else drag?.end();
    drag = null;
  };

  element.addEventListener("pointerdown", onDown);
  element.addEventListener("pointermove", onMove);
  element.addEventListener("pointerup", onUp);
  element.addEventListener("pointercancel", onUp);
  // The browser must not see a fling in a fast stroke: it would swallow the next tap, which is a verdict.
  element.addEventListener("touchstart", (event) => event.target.closest("[data-no-drag]") || event.preventDefault(), { passive: false });
  element.addEventListener("wheel", (event) => wheel(viewer, event, at(event)), { passive: false });
  element.addEventListener("dblclick", (event) => {
    if (event.target.closest("[data-no-drag]") || viewer.element.dataset.boxMode) return;
    if (viewer.element.dataset.zoomed) viewer.fit();
    else viewer.zoomBy(DOUBLE_ZOOM, at(event));
  });
}

function wheel(viewer, event, point) {
  if (event.target.closest("[data-no-drag]")) return;
  event.preventDefault();
  const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
  viewer.zoomBy(Math.exp(-event.deltaY * lines * WHEEL_SPEED), point);
}

function pinch(viewer, pointers, moved, now) {
  const [first, second] = pointers.keys();
  const other = pointers.get(moved === first ? second : first);
  const before = pointers.get(moved);
  const apart = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
  const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
  viewer.panBy((now.x - before.x) / 2, (now.y - before.y) / 2);
  if (apart(before, other) > 0) viewer.zoomBy(apart(now, other) / apart(before, other), middle);
}
