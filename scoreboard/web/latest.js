// The last few gains, newest first.

import { measure, play, prefersStill } from "./flip.js";
import { asText } from "./ticker.js";

const KEPT = 6;
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** A time of day on the viewer's clock, or a dash. */
export function timeOfDay(time) {
  const date = new Date(time ?? NaN);
  return Number.isNaN(date.getTime()) ? "–" : clock.format(date);
}

export class Latest {
  #list;

  constructor(list) {
    this.#list = list;
  }

  /** Puts the gains among `changes` on top; a gain that was made unseen is no news. */
  render(changes, changedAt, { quiet }) {
    const gains = changes.filter((change) => change.gained > 0);
    if (quiet || gains.length === 0) return;
    const before = measure(this.#list.children);
    const items = gains.slice(0, KEPT).map((change) => item(change, changedAt));
    this.#list.prepend(...items);
    while (this.#list.children.length > KEPT) this.#list.lastElementChild.remove();
    if (!prefersStill()) play(this.#list.children, before, "-60%");
  }
}

function item({ gained, username, score }, changedAt) {
  const made = document.createElement("li");
  made.className = "latest-item";
  const name = part("span", "latest-name", username);
  name.title = username;
  const total = part("span", "latest-total", `to ${asText(score)}`);
  made.append(part("span", "latest-gain", `+${asText(gained)}`), name, total, part("time", "latest-time", timeOfDay(changedAt)));
  return made;
}

function part(tag, className, text) {
  return Object.assign(document.createElement(tag), { className, textContent: text });
}
