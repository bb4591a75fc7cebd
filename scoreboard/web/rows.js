// The rows of the table: one element a player, kept for as long as the player is on the board, so that it can move.

import { fadeAway, measure, play, prefersStill, wash } from "./flip.js";
import { asText } from "./ticker.js";

const MOVE_SHOWN_MS = 8_000;
const GAIN_SHOWN_MS = 2_200;

export class Rows {
  #body;
  #ticker;
  #byUser = new Map();

  constructor(body, ticker) {
    this.#body = body;
    this.#ticker = ticker;
  }

  /** Shows the board. `changes` are marked and animated unless `quiet`. */
  render(board, changes, { quiet }) {
    const still = quiet || prefersStill();
    const before = still ? null : measure(this.#body.rows);
    this.#dropLeavers(board);
    board.rows.forEach((row, index) => this.#place(this.#update(row, board, still), index));
    if (!still) play(this.#body.rows, before);
    for (const change of quiet ? [] : changes) this.#mark(this.#byUser.get(change.userId), change);
  }

  #dropLeavers(board) {
    const stays = new Set(board.rows.map((row) => row.userId));
    for (const [userId, parts] of this.#byUser) {
      if (stays.has(userId)) continue;
      parts.row.remove();
      this.#byUser.delete(userId);
    }
  }

  #update(row, board, still) {
    const parts = this.#byUser.get(row.userId) ?? this.#create(row.userId);
    parts.row.dataset.rank = row.rank;
    parts.rank.textContent = row.rank;
    parts.name.textContent = row.username;
    parts.name.title = row.username;
    parts.gap.textContent = gapText(row, board.rows[0]);
    parts.tie.hidden = !isTied(row, board.rows);
    parts.score.dataset.score = row.score;
    this.#ticker.show(parts.value, row.score, { counted: !still });
    parts.bar.style.transform = `scaleX(${share(row, board.rows[0])})`;
    return parts.row;
  }

  #place(element, index) {
    const there = this.#body.rows[index];
    if (there !== element) this.#body.insertBefore(element, there ?? null);
  }

  #mark(parts, { gained, movedFrom }) {
    const rank = Number(parts.row.dataset.rank);
    if (gained > 0) this.#markGain(parts, gained);
    if (movedFrom !== rank) this.#markMove(parts, movedFrom, rank);
  }

  #markGain(parts, gained) {
    parts.gain.textContent = `+${asText(gained)}`;
    fadeAway(parts.gain, GAIN_SHOWN_MS, () => (parts.gain.textContent = ""), { rise: true });
    wash(parts.row, "var(--gain-wash)");
  }

  // While a mark stands, further moves add to it: it tells the way since it appeared.
  #markMove(parts, movedFrom, rank) {
    const from = parts.movingFrom ?? movedFrom;
    parts.movingFrom = from;
    const { way, text, spoken } = moveMark(from, rank);
    parts.move.dataset.way = way;
    parts.move.replaceChildren(element("span", "move-mark", text, { ariaHidden: "true" }), element("span", "unseen", spoken));
    fadeAway(parts.move, MOVE_SHOWN_MS, () => this.#forgetMove(parts));
  }

  #forgetMove(parts) {
    parts.movingFrom = undefined;
    parts.move.replaceChildren();
  }

  #create(userId) {
    const parts = newRow();
    parts.row.dataset.userId = userId;
    this.#byUser.set(userId, parts);
    return parts;
  }
}

function newRow() {
  const row = element("tr", "row");
  const rank = element("td", "col-rank");
  const move = element("span", "move");
  const player = element("th", "col-player", "", { scope: "row" });
  const name = element("span", "name");
  const track = element("span", "track", "", { ariaHidden: "true" });
  const bar = element("span", "bar");
  const gap = element("td", "col-gap");
  const score = element("td", "col-score");
  const gain = element("span", "gain", "", { ariaHidden: "true" });
  const tie = element("span", "tie", "=", { title: "Level on points", hidden: true });
  const value = element("span", "value");
  track.append(bar);
  player.append(name, track);
  score.append(gain, tie, value);
  const moveCell = element("td", "col-move");
  moveCell.append(move);
  row.append(rank, moveCell, player, gap, score);
  return { row, rank, move, name, bar, gap, score, gain, tie, value };
}

function element(tag, className, text = "", properties = {}) {
  const made = Object.assign(document.createElement(tag), { className, textContent: text });
  return Object.assign(made, properties);
}

function gapText(row, first) {
  if (row === first) return "";
  return row.score === first.score ? "level" : `−${asText(first.score - row.score)}`;
}

function isTied(row, rows) {
  return row.score > 0 && rows.some((other) => other !== row && other.score === row.score);
}

function share(row, first) {
  return first.score > 0 ? Math.max(0, row.score / first.score) : 0;
}

function moveMark(from, rank) {
  if (from === null) return { way: "new", text: "New", spoken: "New on the board" };
  const places = from - rank;
  if (places === 0) return { way: "same", text: "", spoken: "" };
  return places > 0
    ? { way: "up", text: `▲${places}`, spoken: `Up ${places}` }
    : { way: "down", text: `▼${-places}`, spoken: `Down ${-places}` };
}
