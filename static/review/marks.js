// Boxes drawn over the photo as SVG, placed anew whenever the view changes.

const SVG = "http://www.w3.org/2000/svg";

/** Return an SVG element with attributes. */
export function svg(name, attributes = {}) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

/** Set the place of `rect` to `region`, given in shares of the picture; return it in screen pixels. */
export function place(rect, viewer, region) {
  const { x, y } = viewer.toScreen(region.x, region.y);
  const width = region.width * viewer.size.width;
  const height = region.height * viewer.size.height;
  for (const [key, value] of Object.entries({ x, y, width, height })) rect.setAttribute(key, value.toFixed(1));
  return { x, y, width, height };
}

/** Draw `regions` into `group` with their names, as outlines in `className`. */
export function outline(group, viewer, regions, className, nameOf) {
  group.replaceChildren();
  for (const region of regions) {
    const back = svg("rect", { class: "box-back", rx: 2 });
    const rect = svg("rect", { class: className, rx: 2 });
    place(back, viewer, region);
    const { x, y } = place(rect, viewer, region);
    const name = svg("text", { class: `${className}-name`, x: x + 1, y: Math.max(12, y - 5) });
    name.textContent = nameOf(region);
    group.append(back, rect, name);
  }
}
