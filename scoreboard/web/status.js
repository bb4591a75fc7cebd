// What the page says about itself: how it is connected, how many play, when something last changed.

import { timeOfDay } from "./latest.js";
import { asText } from "./ticker.js";

/** The sentence for a status of the feed. */
export function statusText(status, now) {
  const seconds = status.retryAt ? Math.max(0, Math.ceil((status.retryAt - now) / 1000)) : 0;
  const when = seconds > 0 ? ` in ${seconds} s` : " now";
  return {
    connecting: "Connecting",
    live: "Live",
    reconnecting: `Reconnecting${when}`,
    polling: "Polling every 5 s",
    offline: `No answer, trying${when === " now" ? " again" : ` again${when}`}`,
  }[status.state];
}

/** How long ago, in the roughest words that are still useful. */
export function ageText(changedAt, now) {
  const then = Date.parse(changedAt ?? "");
  if (Number.isNaN(then)) return "";
  const seconds = Math.max(0, Math.round((now - then) / 1000));
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)} h ago` : `${Math.floor(seconds / 86_400)} d ago`;
}

export class Status {
  #parts;
  #status = { state: "connecting" };
  #changedAt = null;

  /** `parts`: {link, linkText, total, changed, age, tieNote}. */
  constructor(parts) {
    this.#parts = parts;
  }

  connection(status) {
    this.#status = status;
    this.#parts.link.dataset.state = status.state;
    this.tick();
  }

  board(board) {
    this.#changedAt = board.changedAt;
    const { total, changed, tieNote } = this.#parts;
    total.textContent = asText(board.totalUsers);
    changed.textContent = timeOfDay(board.changedAt);
    if (board.changedAt) changed.dateTime = board.changedAt;
    tieNote.hidden = !hasTie(board.rows);
    this.tick();
  }

  /** Brings countdown and age up to date; called once a second. */
  tick() {
    const { linkText, age } = this.#parts;
    put(linkText, statusText(this.#status, Date.now()));
    put(age, ageText(this.#changedAt, Date.now()));
  }
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function hasTie(rows) {
  return rows.some((row, index) => index > 0 && row.score > 0 && row.score === rows[index - 1].score);
}
