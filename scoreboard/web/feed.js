// Keeps a board up to date: by the live socket, or by polling while the socket is refused.
//
// Everything it needs of the world (sockets, requests, timers, time, chance) is handed in, so that a script can play it
// through in no time. It reports two things: onBoard(board) when the board is another, onStatus(status) when the way to it is:
//   {state: "connecting"}              the first try is under way
//   {state: "live"}                    the socket brings every change
//   {state: "reconnecting", retryAt}   the socket was lost; next try at retryAt (ms, null while one is under way)
//   {state: "polling"}                 the socket is refused; asking every 5 s, and trying the socket now and then
//   {state: "offline", retryAt}        neither answers; next poll at retryAt

import { EMPTY_BOARD, applyDiff, applyFull, applyPoll } from "./board.js";
import { Timers, browserWorld } from "./world.js";

export const POLL_EVERY_MS = 5_000;
const ANSWER_WITHIN_MS = 8_000;
const PING_AFTER_SILENCE_MS = 25_000;
const STABLE_AFTER_MS = 10_000;
const REFUSALS_BEFORE_POLLING = 2;

/** How long to wait before try number `attempt` (from 0): doubled each time, capped, three quarters of it by chance. */
export function retryDelay(attempt, polling, chance) {
  const [first, cap] = polling ? [10_000, 60_000] : [2_000, 30_000];
  const full = Math.min(cap, first * 2 ** Math.min(attempt, 10));
  return Math.round(full * (0.25 + 0.75 * chance));
}

export class Feed {
  #options;
  #world;
  #timers;
  #board = EMPTY_BOARD;
  #socket = null;
  #live = false;
  #wantsFull = false;
  #attempt = 0;
  #refusals = 0;
  #polling = false;
  #pollTurn = 0;
  #pollAnswered = true;
  #visible = true;
  #everLive = false;

  constructor({ socketUrl, pollUrl, channel = "leaderboard.top10", onBoard, onStatus, world = browserWorld }) {
    this.#options = { socketUrl, pollUrl, channel, onBoard, onStatus };
    this.#world = world;
    this.#timers = new Timers(world);
  }

  /** Begins; never ends by itself. */
  start() {
    this.#connect();
  }

  /** Ends: no more reports. */
  stop() {
    this.#timers.clearAll();
    this.#stopPolling();
    this.#letGo();
  }

  /** The network may be back, or somebody looks again: do not wait out the delay. */
  retryNow() {
    if (this.#live) this.#ping();
    else if (this.#timers.dueAt("retry") !== null) this.#connect();
    if (this.#polling) this.#poll();
  }

  /** While nobody looks there is no polling; on return it catches up at once. */
  setVisible(visible) {
    const returned = visible && !this.#visible;
    this.#visible = visible;
    if (returned) this.retryNow();
  }

  // --- the socket ---

  #connect() {
    this.#timers.clear("retry");
    this.#letGo();
    this.#timers.set("answer", () => this.#lost(), ANSWER_WITHIN_MS);
    this.#wantsFull = true;
    try {
      this.#socket = this.#world.openSocket(this.#options.socketUrl, {
        opened: () => this.#say("subscribe", { channel: this.#options.channel }),
        received: (text) => this.#receive(text),
        closed: () => this.#lost(),
      });
    } catch {
      this.#lost();
    }
    this.#report();
  }

  #letGo() {
    const socket = this.#socket;
    this.#socket = null;
    this.#live = false;
    socket?.close();
  }

  #lost() {
    const refused = !this.#live;
    this.#letGo();
    for (const name of ["answer", "silence", "stable"]) this.#timers.clear(name);
    this.#refusals = refused ? this.#refusals + 1 : 0;
    if (this.#refusals === REFUSALS_BEFORE_POLLING) this.#startPolling();
    const delay = retryDelay(this.#attempt, this.#polling, this.#world.chance());
    this.#attempt += 1;
    this.#timers.set("retry", () => this.#connect(), delay);
    this.#report();
  }

  #say(event, data) {
    this.#socket?.send(JSON.stringify({ event, data }));
  }

  #receive(text) {
    this.#timers.set("silence", () => this.#ping(), PING_AFTER_SILENCE_MS);
    if (!this.#wantsFull) this.#timers.clear("answer");
    const frame = parsed(text);
    if (frame?.data?.channel !== this.#options.channel) return;
    if (frame.event === "leaderboard.update") this.#full(frame.data);
    if (frame.event === "leaderboard.diff" && !this.#wantsFull) this.#diff(frame.data);
  }

  #full(data) {
    const { verdict, board } = applyFull(this.#board, data);
    // A full update that is damaged will not get better by asking the same server again at once.
    if (verdict === "behind") return this.#lost();
    this.#wantsFull = false;
    this.#timers.clear("answer");
    this.#accept(board);
    if (!this.#live) this.#becameLive();
  }

  #diff(data) {
    const { verdict, board } = applyDiff(this.#board, data);
    if (verdict === "applied") this.#accept(board);
    if (verdict === "behind") this.#resubscribe();
  }

  #resubscribe() {
    this.#wantsFull = true;
    this.#timers.set("answer", () => this.#lost(), ANSWER_WITHIN_MS);
    this.#say("subscribe", { channel: this.#options.channel });
  }

  #becameLive() {
    this.#live = true;
    this.#everLive = true;
    this.#refusals = 0;
    this.#stopPolling();
    // A server that takes us in and throws us out again must not be asked again ever faster.
    this.#timers.set("stable", () => (this.#attempt = 0), STABLE_AFTER_MS);
    this.#report();
  }

  // A connection that died without a word (a laptop that slept) is found out only by asking.
  #ping() {
    this.#say("ping");
    this.#timers.set("answer", () => this.#lost(), ANSWER_WITHIN_MS);
  }

  // --- polling ---

  #startPolling() {
    this.#polling = true;
    this.#pollAnswered = true;
    this.#attempt = 0;
    this.#poll();
  }

  #stopPolling() {
    this.#polling = false;
    this.#pollTurn += 1;
    this.#timers.clear("poll");
  }

  #poll() {
    this.#timers.set("poll", () => this.#poll(), POLL_EVERY_MS);
    if (!this.#visible) return;
    const turn = (this.#pollTurn += 1);
    const current = () => turn === this.#pollTurn;
    this.#world.fetchJson(this.#options.pollUrl, POLL_EVERY_MS - 500).then(
      (document) => current() && this.#polled(document),
      () => current() && this.#unanswered(),
    );
  }

  #polled(document) {
    const { verdict, board } = applyPoll(this.#board, document);
    if (verdict === "behind") return this.#unanswered();
    const isBack = !this.#pollAnswered;
    this.#pollAnswered = true;
    this.#accept(board);
    // The server is back from the dead: try the socket soon, but not all clients in the same instant.
    if (isBack) this.#timers.set("retry", () => this.#connect(), Math.round(this.#world.chance() * 2_000));
    this.#report();
  }

  #unanswered() {
    this.#pollAnswered = false;
    this.#report();
  }

  // --- reports ---

  #accept(board) {
    this.#board = board;
    this.#options.onBoard(board);
  }

  #report() {
    this.#options.onStatus(this.#status());
  }

  #status() {
    if (this.#live) return { state: "live" };
    if (this.#polling && this.#pollAnswered) return { state: "polling" };
    if (this.#polling) return { state: "offline", retryAt: this.#timers.dueAt("poll") };
    const retryAt = this.#timers.dueAt("retry");
    return retryAt === null && !this.#everLive ? { state: "connecting" } : { state: "reconnecting", retryAt };
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
