// Motion: elements that glide from where they were to where they are (measure, change the document, then play).

const GLIDE = { duration: 700, easing: "cubic-bezier(0.22, 0.8, 0.2, 1)" };
const gliding = new WeakMap();

export const prefersStill = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Where each element is on the screen now, glides under way included. */
export function measure(elements) {
  return new Map([...elements].map((element) => [element, element.getBoundingClientRect().top]));
}

/** Lets each element glide from its place in `before`; those that were not there come in `from` so far away. */
export function play(elements, before, from = "60%") {
  for (const element of elements) gliding.get(element)?.cancel();
  const after = measure(elements);
  for (const [element, top] of after) {
    if (!before.has(element)) enter(element, from);
    else glide(element, before.get(element) - top);
  }
}

function glide(element, distance) {
  if (Math.abs(distance) < 1) return;
  // Those who rise pass over those who fall.
  element.style.zIndex = distance > 0 ? "2" : "1";
  const animation = element.animate([{ transform: `translateY(${distance}px)` }, { transform: "none" }], GLIDE);
  gliding.set(element, animation);
  animation.onfinish = () => (element.style.zIndex = "");
}

function enter(element, from) {
  const start = { transform: `translateY(${from})`, opacity: 0 };
  gliding.set(element, element.animate([start, { transform: "none", opacity: 1 }], GLIDE));
}

/** Washes the cells of a row with a colour that fades. */
export function wash(row, colour) {
  for (const cell of row.cells) cell.animate([{ backgroundColor: colour, offset: 0 }], { duration: 1800, easing: "ease-out" });
}

/** Shows a short-lived mark and calls `gone` when it has faded; showing it again begins anew. */
export function fadeAway(element, ms, gone, { rise = false } = {}) {
  gliding.get(element)?.cancel();
  const lifted = rise && !prefersStill();
  const frames = [
    { opacity: 0, transform: lifted ? "translateY(0.5em)" : "none" },
    { opacity: 1, transform: "none", offset: 0.08 },
    { opacity: 1, transform: "none", offset: 0.75 },
    { opacity: 0, transform: lifted ? "translateY(-0.3em)" : "none" },
  ];
  const animation = element.animate(frames, { duration: ms });
  gliding.set(element, animation);
  animation.onfinish = gone;
}
