// The banner of the one who leads, and its moment when somebody new takes the lead.

import { leaderOf } from "./board.js";
import { prefersStill } from "./flip.js";
import { asText } from "./ticker.js";

const MOMENT_MS = 6_000;

export class Leader {
  #parts;
  #ticker;
  #leaderId = null;
  #momentEnds = 0;

  /** `parts`: {panel, sweep, title, name, score, unit, note, announcer}. */
  constructor(parts, ticker) {
    this.#parts = parts;
    this.#ticker = ticker;
  }

  /** Shows who leads. A new one is announced unless this is the `first` board; `quiet` leaves out the motion. */
  render(board, { quiet, first }) {
    const leader = leaderOf(board);
    const isNew = leader !== null && leader.userId !== this.#leaderId;
    this.#leaderId = leader?.userId ?? null;
    this.#show(leader, board, { counted: !quiet && !isNew && !prefersStill() });
    if (!isNew || first) return;
    this.#announce(leader);
    if (!quiet) this.#moment();
  }

  #show(leader, board, { counted }) {
    const { panel, name, score, unit, note } = this.#parts;
    panel.dataset.leader = leader ? "yes" : "none";
    name.textContent = leader ? leader.username : "Nobody yet";
    this.#ticker.show(score, leader?.score ?? 0, { counted });
    const digits = asText(leader?.score ?? 0).length;
    panel.style.setProperty("--digits", String(digits));
    panel.dataset.wide = digits > 7 ? "yes" : "no";
    unit.textContent = leader?.score === 1 ? "point" : "points";
    note.textContent = leader ? leadNote(leader, board.rows[1]) : waitingNote(board);
  }

  #announce(leader) {
    this.#parts.announcer.textContent = `${leader.username} takes the lead with ${points(leader.score)}`;
  }

  #moment() {
    const { panel, sweep, title, name } = this.#parts;
    title.textContent = "New leader";
    panel.dataset.moment = "yes";
    clearTimeout(this.#momentEnds);
    this.#momentEnds = setTimeout(() => {
      title.textContent = "In the lead";
      delete panel.dataset.moment;
    }, MOMENT_MS);
    if (prefersStill()) return;
    const pass = [{ transform: "translateX(-110%) skewX(-14deg)" }, { transform: "translateX(110%) skewX(-14deg)" }];
    sweep.animate(pass, { duration: 1100, easing: "cubic-bezier(0.6, 0, 0.3, 1)" });
    const arrive = [{ opacity: 0, transform: "translateX(-1.2em)" }, { opacity: 1, transform: "none" }];
    name.animate(arrive, { duration: 600, delay: 380, easing: "cubic-bezier(0.22, 0.8, 0.2, 1)", fill: "backwards" });
  }
}

function leadNote(leader, second) {
  if (!second) return "Alone on the board";
  const ahead = leader.score - second.score;
  if (ahead === 0) return `Level with ${second.username}, but got there first`;
  return `${points(ahead)} ahead of ${second.username}`;
}

function waitingNote(board) {
  return board.rows.length ? "The first point takes the lead" : "Waiting for the first player";
}

function points(number) {
  return `${asText(number)} ${number === 1 ? "point" : "points"}`;
}
