// A client of the live scoreboard: boards that keep themselves up to date, and scores that count once.
//
//   const scoreboard = connect("https://scores.example.org", { token });
//   scoreboard.watch("leaderboard.top10", (board) => show(board.rows));
//   const { newScore } = await scoreboard.score();
//
// One file without dependencies, so that it can be copied or imported alone; that is why it is long. Types stand beside
// it in client.d.ts. From the top: errors, the rule by which frames change a board, the world, one channel, who is
// signed in, scoring commands, and the class that holds the line.
//
// Everything that it needs of the world (sockets, requests, timers, time, chance) is handed in, so that a script can play
// it through in no time.

export const POLL_EVERY_MS = 5_000;
const ANSWER_WITHIN_MS = 8_000;
const ACK_EXPECTED_WITHIN_MS = 4_000;
const PING_AFTER_SILENCE_MS = 25_000;
const STABLE_AFTER_MS = 10_000;
const REFUSALS_BEFORE_POLLING = 2;
const COMMAND_WITHIN_MS = 30_000;
const DEBOUNCE_MS = 500;
const UNANSWERED_COMMANDS = 32; // as many as the server reads ahead
const WAITING_COMMANDS = 256;
const AGAIN_AFTER_S = 1;
const LONGEST_OBEYED_S = 120; // ask again then, whatever the server said: every wait has a bound

// --- errors ---

const SIGN_IN = "Sign in: hand `token` to connect(), or call signIn().";
const ADVICE = {
  UNAUTHORIZED: SIGN_IN,
  ACCESS_TOKEN_EXPIRED: "Sign in again; with a refreshToken, or a function as `token`, it renews itself.",
  ACCESS_TOKEN_INVALID: SIGN_IN,
  ACCESS_TOKEN_REVOKED: "The session has ended. Sign in again.",
  REFRESH_TOKEN_EXPIRED: "Sign in again.",
  REFRESH_TOKEN_INVALID: "Sign in again.",
  INVALID_CREDENTIALS: "Check the name and the password.",
  INVALID_INPUT: "Mend what was sent; the same again is refused again.",
  UNKNOWN_CHANNEL: "Watch a channel that this server has, for example leaderboard.top10.",
  TOO_MANY_CHANNELS: "Stop watching another channel first.",
  TOKEN_EXPIRED: "Ask for a new action token when the player begins the action.",
  TOKEN_INVALID: "Send the action token exactly as it came, or ask for a new one.",
  TOKEN_ALREADY_USED: "It has counted. A new action needs a new action token.",
  IDEMPOTENCY_KEY_REUSED: "A new action needs a new idempotencyKey.",
  RATE_LIMITED: "Wait `retryAfter` seconds and call again.",
  USER_BANNED: "This account may not score.",
  NO_ANSWER: "It may have counted. Call again with the same action token and idempotencyKey: it counts once.",
  TOO_MANY_COMMANDS: "Wait for answers before you send more.",
  LINE_CLOSED: "The server ended the connection because of what this client sent. Look for a newer client.",
  CLOSED: "The client was closed. Call connect() again.",
};
const SIGN_IN_CODES = new Set(["UNAUTHORIZED", "ACCESS_TOKEN_EXPIRED", "ACCESS_TOKEN_INVALID", "ACCESS_TOKEN_REVOKED"]);
const EXPIRY_CODES = new Set(["TOKEN_EXPIRED", "TOKEN_REVOKED"]); // of the sign-in, on a live connection
const AGAIN_CODES = new Set(["SERVICE_UNAVAILABLE", "INTERNAL_ERROR", "NOT_READY"]);
const LATER_CODES = new Set([...AGAIN_CODES, "RATE_LIMITED", "RATE_LIMIT_EXCEEDED"]);
const CLOSED_FOR_OUR_FAULT = new Set([1002, 1003, 1007, 1008, 1009]);
const RENEWED = 1012; // the server is being renewed and says when to come back: neither sooner nor later

/** What could not be done: `code` for programs, the message for people with what to do, `retryAfter` in seconds or null. */
export class ScoreboardError extends Error {
  constructor(code, said = "", { retryAfter = null, retry = null, status = null } = {}) {
    super([said || code, ADVICE[code]].filter(Boolean).join(" "));
    this.name = "ScoreboardError";
    this.code = code;
    this.advice = ADVICE[code] ?? "";
    this.retryAfter = retryAfter;
    /** Of REST; null for what the live feed said. */
    this.status = status;
    /** Of an increment: what to hand in again, {actionToken, idempotencyKey}, where the code allows it; else null. */
    this.retry = retry;
  }
}

// --- the board, and the rule by which frames change it ---
//
// A board is {epoch, version, rows, totalUsers, changedAt}, that of a period with resetsAt; rows are {rank, userId, username,
// score, lastUpdated} in order of rank. Nothing here changes a board that it was given: each function answers {verdict, board}, where the verdict is
//   "applied"  the board is the new one
//   "ignored"  the frame was older than what we have
//   "behind"   the frame does not fit (a gap, another epoch, a wrong checksum, a malformed row): ask for a full update

export const EMPTY_BOARD = Object.freeze({ epoch: null, version: 0, rows: [], totalUsers: 0, changedAt: null });

/** A `leaderboard.update`: replaces everything. "behind" means that the frame itself is damaged. */
export function applyFull(board, data) {
  const rows = inOrder(data.leaderboard, data.channel);
  if (!rows || !checkHolds(rows, data.check)) return behind(board);
  return applied({
    epoch: data.epoch,
    version: data.version,
    rows,
    totalUsers: data.totalUsers,
    changedAt: newestChange(rows),
    ...ofPeriod(data),
  });
}

/** A `leaderboard.diff`: keyed rows that changed, and users who left. */
export function applyDiff(board, data) {
  if (data.epoch === board.epoch && data.to <= board.version) return { verdict: "ignored", board };
  if (data.epoch !== board.epoch || data.from !== board.version) return behind(board);
  const rows = merged(board.rows, data);
  if (!rows || !checkHolds(rows, data.check)) return behind(board);
  return applied({
    epoch: board.epoch,
    version: data.to,
    rows,
    totalUsers: data.totalUsers ?? board.totalUsers,
    changedAt: data.timestamp ?? newestChange(rows),
    ...ofPeriod(board),
  });
}

/** A polled table. It has no epoch, so that no diff fits it: the socket begins with a full update. */
export function applyPoll(board, document) {
  const table = document?.data ?? document;
  const rows = inOrder(table?.leaderboard);
  if (!rows) return behind(board);
  const totalUsers = table.totalUsers ?? rows.length;
  return applied({ epoch: null, version: 0, rows, totalUsers, changedAt: newestChange(rows), ...ofPeriod(table) });
}

/** The text that a frame's `check` covers. */
export function checksumText(rows) {
  return rows.map((row) => `${row.rank}:${row.userId}:${row.score}`).join(";");
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

const utf8 = new TextEncoder();

/** CRC-32 (the one of zlib and PNG) of a text's UTF-8 bytes, as an unsigned integer. */
export function crc32(text) {
  let crc = 0xffffffff;
  for (const byte of utf8.encode(text)) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ byte) & 0xff];
  return (crc ^ 0xffffffff) >>> 0;
}

const ofPeriod = ({ resetsAt }) => (resetsAt ? { resetsAt } : {});

function applied(board) {
  return { verdict: "applied", board };
}

function behind(board) {
  return { verdict: "behind", board };
}

function merged(rows, { changes = [], removed = [], channel }) {
  const byUser = new Map(rows.map((row) => [row.userId, row]));
  for (const userId of removed) byUser.delete(userId);
  for (const row of changes) byUser.set(row.userId, row);
  return inOrder([...byUser.values()], channel);
}

// Ranks must follow one another: a hole or a double rank is a gap that a frame without a checksum would hide. They begin
// with 1, but for the rows around somebody.
function inOrder(rows, channel = "") {
  if (!Array.isArray(rows) || !rows.every(isRow)) return null;
  const ordered = [...rows].sort((a, b) => a.rank - b.rank);
  const first = channel.endsWith(".around_me") ? ordered[0]?.rank : 1;
  return ordered.every((row, index) => row.rank === first + index) ? ordered : null;
}

function isRow(row) {
  return (
    typeof row?.userId === "string" &&
    typeof row.username === "string" &&
    Number.isSafeInteger(row.rank) &&
    Number.isSafeInteger(row.score)
  );
}

function checkHolds(rows, check) {
  return check === undefined || check === null || crc32(checksumText(rows)) === check;
}

function newestChange(rows) {
  const times = rows.map((row) => row.lastUpdated).filter((time) => !Number.isNaN(Date.parse(time)));
  return times.length ? times.reduce((a, b) => (Date.parse(a) >= Date.parse(b) ? a : b)) : null;
}

// --- the world ---

/**
 * openSocket(url, {opened(), received(text), closed({code, reason})}) -> {send(text), close()}; after close() none is called.
 * request({method, url, headers, body, within}) -> promise of {status, headers, body}: headers by lower-case name, the
 * body parsed, null if it is not JSON; rejects when there is no answer within that many ms.
 */
export const browserWorld = {
  openSocket(url, on) {
    const socket = new WebSocket(url);
    socket.onopen = on.opened;
    socket.onmessage = (message) => on.received(message.data);
    socket.onclose = ({ code, reason }) => on.closed({ code, reason });
    return {
      send: (text) => socket.readyState === WebSocket.OPEN && socket.send(text),
      close() {
        socket.onopen = socket.onmessage = socket.onclose = null;
        socket.close();
      },
    };
  },

  async request({ method, url, headers, body, within }) {
    // "no-store": a kept answer is never shown as new; what is unchanged is known by its ETag.
    const answer = await fetch(url, { method, headers, body, cache: "no-store", signal: AbortSignal.timeout(within) });
    const parsed = await answer.json().catch(() => null);
    return { status: answer.status, headers: Object.fromEntries(answer.headers), body: parsed };
  },

  setTimer: (run, ms) => setTimeout(run, ms),
  clearTimer: (id) => clearTimeout(id),
  now: () => Date.now(),
  chance: () => Math.random(),
  // Not crypto.randomUUID: a page that came over plain HTTP has none.
  key: () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join(""),
};

/** How long to wait before try number `attempt` (from 0): doubled each time, capped, three quarters of it by chance. */
export function retryDelay(attempt, polling, chance) {
  const [first, cap] = polling ? [10_000, 60_000] : [2_000, 30_000];
  const full = Math.min(cap, first * 2 ** Math.min(attempt, 10));
  return Math.round(full * (0.25 + 0.75 * chance));
}

// Timers by name: setting one again moves it.
class Timers {
  #world;
  #running = new Map();

  constructor(world) {
    this.#world = world;
  }

  set(name, run, ms) {
    this.clear(name);
    const fire = () => {
      this.#running.delete(name);
      run();
    };
    this.#running.set(name, { id: this.#world.setTimer(fire, ms), dueAt: this.#world.now() + ms });
  }

  clear(name) {
    const timer = this.#running.get(name);
    if (timer) this.#world.clearTimer(timer.id);
    this.#running.delete(name);
  }

  clearAll() {
    for (const name of [...this.#running.keys()]) this.clear(name);
  }

  // When it fires, in ms of world.now(); null when it is not set.
  dueAt(name) {
    return this.#running.get(name)?.dueAt ?? null;
  }
}

// The seconds in the reason of a close frame, `retryAfter=1.4`; null when there are none.
function toldIn(reason) {
  const seconds = Number.parseFloat(String(reason ?? "").split("retryAfter=")[1]);
  return seconds >= 0 ? Math.min(seconds, LONGEST_OBEYED_S) : null;
}

// Seconds that an answer asks to wait, by its body or its header; null when it does not say.
function retryAfterOf({ headers = {}, body = null }) {
  const said = body?.retryAfter ?? body?.error?.retryAfter ?? headers["retry-after"] ?? NaN;
  const seconds = Number(said);
  return seconds >= 0 ? Math.min(seconds, LONGEST_OBEYED_S) : null;
}

// The error that an answer of REST tells, in either of its two shapes.
function errorOf(answer) {
  const { body } = answer;
  const told = typeof body?.error === "object" && body.error !== null ? body.error : (body ?? {});
  const code = told.code ?? (answer.status >= 500 ? "SERVICE_UNAVAILABLE" : "UNEXPECTED_ANSWER");
  const said = told.message ?? `The server answered ${answer.status}.`;
  return new ScoreboardError(code, said, { retryAfter: retryAfterOf(answer), status: answer.status });
}

// Whether the server could not, for now: a command is sent again by itself.
function isTrouble(error) {
  return AGAIN_CODES.has(error.code) || error.status >= 500;
}

// Whether it may go better later: no answer at all, a server in trouble, a limit.
function isLater(failure) {
  return !(failure instanceof ScoreboardError) || LATER_CODES.has(failure.code) || isTrouble(failure);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

// --- one channel ---

// The address at which a channel's board can be polled; null for those that only the live feed has.
function pollPath(channel) {
  const [, period, country, size] = /^leaderboard(?:\.(daily|weekly|monthly))?(?:\.([A-Z]{2}))?\.top(\d+)$/.exec(channel) ?? [];
  if (!size) return null;
  if (!period && !country) return `api/scores/top?limit=${size}`;
  const more = [period && `&period=${period.toUpperCase()}`, country && `&country=${country}`].filter(Boolean).join("");
  return `api/v1/leaderboard/top?limit=${size}${more}`;
}

class Channel {
  board = EMPTY_BOARD;
  shown = false;
  etag = null;
  radius = null;
  watchers = new Set();

  constructor(name) {
    this.name = name;
    this.pollPath = pollPath(name);
  }

  // Those that no board comes for (player.me) are not waited for either.
  get hasBoard() {
    return this.name.startsWith("leaderboard.");
  }

  get isPersonal() {
    return !this.hasBoard || this.name.endsWith(".around_me");
  }

  accept(board, etag = null) {
    this.board = board;
    this.shown = true;
    this.etag = etag;
    for (const watcher of this.watchers) watcher.offer(board);
  }
}

// Hands boards on: the first at once, then at most one in `debounceMs`, always ending with the newest.
class Watcher {
  #timers;
  #options;
  #next = null;

  constructor(timers, options) {
    this.#timers = timers;
    this.#options = options;
  }

  offer(board) {
    this.#next = board;
    if (this.#timers.dueAt(this) === null) this.#show();
  }

  news(event, data) {
    this.#options.onNews?.(event, data);
  }

  fail(error) {
    this.#options.onError(error);
  }

  end() {
    this.stop();
    this.#options.onEnd?.();
  }

  stop() {
    this.#timers.clear(this);
  }

  #show() {
    if (this.#next === null) return;
    const board = this.#next;
    this.#next = null;
    const { debounceMs, onBoard } = this.#options;
    if (debounceMs > 0) this.#timers.set(this, () => this.#show(), debounceMs);
    onBoard?.(board);
  }
}

// --- who is signed in ---

class Account {
  #ask;
  #options;
  #access;
  #refreshToken;
  #renewing = null;

  // `ask(method, path, {access, body, headers})` is a request of REST.
  constructor(ask, options) {
    this.#ask = ask;
    this.#options = options;
    this.#access = typeof options.token === "string" ? options.token : null;
    this.#refreshToken = options.refreshToken ?? null;
  }

  get #source() {
    return typeof this.#options.token === "function" ? this.#options.token : null;
  }

  get signedIn() {
    return Boolean(this.#access || this.#refreshToken || this.#source);
  }

  // The access token; fetched if there is none yet.
  async access() {
    return this.#access ?? this.renew();
  }

  // A new access token; several who need one share one request. Rejects when one must sign in again.
  renew() {
    this.#renewing ??= this.#renewed().finally(() => (this.#renewing = null));
    return this.#renewing;
  }

  async #renewed() {
    this.#access = null;
    if (this.#source) return (this.#access = await this.#source());
    if (!this.#refreshToken) throw new ScoreboardError("ACCESS_TOKEN_EXPIRED", "The access token is no longer good.");
    const answer = await this.#ask("POST", "api/auth/refresh", { body: { refreshToken: this.#refreshToken } });
    if (answer.status !== 200) throw errorOf(answer);
    return this.keep(answer.body).accessToken;
  }

  keep(tokens) {
    this.#access = tokens.accessToken;
    this.#refreshToken = tokens.refreshToken ?? this.#refreshToken;
    this.#options.onTokens?.({ accessToken: this.#access, refreshToken: this.#refreshToken, expiresIn: tokens.expiresIn });
    return tokens;
  }

  forget() {
    this.#access = this.#refreshToken = null;
    this.#options = { ...this.#options, token: null };
  }
}

// --- scoring commands ---

// What stands in REST for a command, for the time in which the socket is refused.
const BY_REST = { "action.token": "api/actions/token", "score.increment": "api/scores/increment" };

class Commands {
  #line;
  #timers;
  #world;
  #lastId = 0;
  #waiting = [];
  #sent = new Map();

  // `line`: {send(frame) -> whether it went out, rest(command) -> promise of the answer or null, renew()}
  constructor(line, timers, world) {
    this.#line = line;
    this.#timers = timers;
    this.#world = world;
  }

  ask(event, data, { within, retry = null }) {
    if (this.#waiting.length >= WAITING_COMMANDS) {
      const said = `${WAITING_COMMANDS} commands wait for an answer already.`;
      return Promise.reject(new ScoreboardError("TOO_MANY_COMMANDS", said));
    }
    return new Promise((resolve, reject) => {
      const command = { id: (this.#lastId += 1), event, data, retry, resolve, reject, renewed: false, done: false };
      const late = () => this.#fail(command, new ScoreboardError("NO_ANSWER", `No answer within ${within / 1000} s.`, { retry }));
      this.#timers.set(`end ${command.id}`, late, within);
      this.#waiting.push(command);
      this.flush();
    });
  }

  // Sends what waits, by the socket or by REST, as far as there is a way now.
  flush() {
    while (this.#waiting.length && this.#sent.size < UNANSWERED_COMMANDS) {
      const [command] = this.#waiting;
      const { id, event, data } = command;
      const byRest = this.#line.rest(command);
      if (!byRest && !this.#line.send({ event, id, data })) return;
      this.#waiting.shift();
      this.#sent.set(id, command);
      byRest?.then(
        (answer) => this.#answeredByRest(command, answer),
        () => this.#again(command, null),
      );
    }
  }

  // The socket was lost: what was not answered is sent again on the next one, with the same key.
  lost() {
    const back = [...this.#sent.values()].filter((command) => !command.byRest);
    for (const { id } of back) this.#sent.delete(id);
    this.#waiting.unshift(...back);
  }

  answered({ event, id, data }) {
    const command = this.#sent.get(id);
    if (!command) return;
    if (event === "ack") this.#settle(command, () => command.resolve(data));
    if (event === "error") this.#refused(command, new ScoreboardError(data.code, data.message, { retryAfter: data.retryAfter ?? null }));
  }

  failAll(error) {
    for (const command of [...this.#sent.values(), ...this.#waiting]) this.#fail(command, error);
  }

  #answeredByRest(command, answer) {
    if (command.done) return;
    if (answer.status >= 300) return this.#refused(command, errorOf(answer));
    const repeated = answer.headers["idempotency-replayed"] === "true";
    const data = command.event === "score.increment" ? { ...answer.body, repeated } : answer.body;
    this.#settle(command, () => command.resolve(data));
  }

  #refused(command, error) {
    if (isTrouble(error)) return this.#again(command, error.retryAfter);
    if (SIGN_IN_CODES.has(error.code) && !command.renewed) {
      command.renewed = true;
      this.#wait(command);
      return this.#line.renew(error);
    }
    this.#fail(command, error);
  }

  #again(command, retryAfter) {
    if (command.done) return;
    this.#sent.delete(command.id);
    const pause = (retryAfter ?? AGAIN_AFTER_S) * 1000 * (1 + 0.25 * this.#world.chance());
    this.#timers.set(`again ${command.id}`, () => (this.#wait(command), this.flush()), pause);
  }

  #wait(command) {
    this.#sent.delete(command.id);
    command.byRest = false;
    this.#waiting.push(command);
  }

  #fail(command, error) {
    error.retry ??= command.retry;
    this.#settle(command, () => command.reject(error));
  }

  #settle(command, tell) {
    if (command.done) return;
    command.done = true;
    this.#timers.clear(`end ${command.id}`);
    this.#timers.clear(`again ${command.id}`);
    this.#sent.delete(command.id);
    this.#waiting = this.#waiting.filter((other) => other !== command);
    tell();
    this.flush();
  }
}

// --- the line ---

/**
 * Connects to the scoreboard at `url` and stays connected until close().
 *
 * onStatus(status) hears how the way to it is:
 *   {state: "connecting"}              the first try is under way
 *   {state: "live"}                    the socket brings every change
 *   {state: "reconnecting", retryAt}   the socket was lost; next try at retryAt (ms, null while one is under way)
 *   {state: "polling"}                 the socket is refused; asking every 5 s, and trying the socket now and then
 *   {state: "offline", retryAt}        neither answers; next poll at retryAt
 *   {state: "closed"}                  close() was called
 */
export function connect(url, options = {}) {
  const scoreboard = new Scoreboard(url, options);
  scoreboard.start();
  return scoreboard;
}

export class Scoreboard {
  #base;
  #options;
  #world;
  #timers;
  #account;
  #commands;
  #channels = new Map();
  #socket = null;
  #turn = 0;
  #awaited = new Set();
  #opened = false;
  #maySpeak = false; // signed in on this socket
  #renewing = false;
  #live = false;
  #everLive = false;
  #attempt = 0;
  #refusals = 0;
  #hasTickets = true;
  #polling = false;
  #pollTurn = 0;
  #pollAnswered = true;
  #visible = true;
  #closed = false;

  constructor(url, { debounceMs = DEBOUNCE_MS, world = browserWorld, ...options } = {}) {
    this.#base = new URL(String(url).endsWith("/") ? url : `${url}/`);
    this.#options = { debounceMs, ...options };
    this.#world = world;
    this.#timers = new Timers(world);
    this.#account = new Account((...wish) => this.#ask(...wish), this.#options);
    const line = { send: (frame) => this.#sendCommand(frame), rest: (command) => this.#byRest(command), renew: (why) => this.#renew(why) };
    this.#commands = new Commands(line, this.#timers, world);
  }

  /** Begins. connect() has done it. */
  start() {
    this.#connect();
  }

  /** Ends: no more reports; commands that wait are rejected with CLOSED, and loops over views() end. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#commands.failAll(new ScoreboardError("CLOSED", "The client was closed before the answer came."));
    this.#stopPolling();
    this.#letGo();
    this.#timers.clearAll();
    for (const channel of this.#channels.values()) for (const watcher of channel.watchers) watcher.end();
    this.#channels.clear();
  }

  // --- boards ---

  /**
   * Shows a channel's board to `onBoard` now and whenever it has changed, at most once in `debounceMs` (0: at once).
   * `onNews(event, data)` hears what else the channel tells. `radius` (1 to 25) is how many rows around_me has on either
   * side, 5 unless given; of several who watch the same channel it is the one that was given last. Answers a function
   * that stops it.
   */
  watch(name, onBoard, options = {}) {
    const known = this.#channels.get(name);
    const channel = known ?? new Channel(name);
    const { debounceMs, onError } = this.#options;
    const anew = !known || (options.radius ?? channel.radius) !== channel.radius;
    channel.radius = options.radius ?? channel.radius;
    const watcher = new Watcher(this.#timers, { debounceMs, onError: (error) => this.#tell(onError, error), ...options, onBoard });
    channel.watchers.add(watcher);
    this.#channels.set(name, channel);
    if (anew && this.#opened && !this.#mustWait(channel)) this.#subscribe(channel);
    if (!known && this.#polling) this.#poll();
    if (channel.shown) watcher.offer(channel.board);
    return () => this.#unwatch(channel, watcher);
  }

  /** The boards of a channel for `for await`: each the newest there is when it is asked for. */
  async *views(name, options = {}) {
    if (this.#closed) return;
    let [told, wake] = [{}, null];
    const tell = (what) => {
      told = what;
      wake?.();
    };
    const ends = { onError: (failure) => tell({ failure }), onEnd: () => tell({ ended: true }) };
    const stop = this.watch(name, (board) => tell({ board }), { ...options, ...ends });
    try {
      for (;;) {
        const { board, failure, ended } = told;
        told = {};
        if (failure) throw failure;
        if (ended) return;
        if (board) yield board;
        else await new Promise((awake) => (wake = awake));
      }
    } finally {
      stop();
    }
  }

  #unwatch(channel, watcher) {
    watcher.stop();
    // Of a channel that the server refused there is nothing to leave.
    if (!channel.watchers.delete(watcher) || channel.watchers.size || !this.#watches(channel)) return;
    this.#forget(channel);
    if (this.#opened) this.#say("unsubscribe", { channel: channel.name });
  }

  #watches(channel) {
    return this.#channels.get(channel.name) === channel;
  }

  #forget(channel) {
    if (this.#watches(channel)) this.#channels.delete(channel.name);
    if (this.#awaited.delete(channel.name)) this.#settle();
  }

  // --- scores ---

  /** The right to score once, to be asked for when the player begins the action: {actionToken, expiresAt, expiresIn}. */
  actionToken({ within = COMMAND_WITHIN_MS } = {}) {
    return this.#command("action.token", undefined, { within });
  }

  /**
   * Spends an action token: {newScore, previousRank, newRank, rankChanged, repeated}. Sent again by itself, with the same
   * key, when the line was lost before the answer: it counts once. What is answered is on disk.
   */
  increment(actionToken, { idempotencyKey = this.#world.key(), within = COMMAND_WITHIN_MS } = {}) {
    const retry = { actionToken, idempotencyKey };
    return this.#command("score.increment", retry, { within, retry });
  }

  /** Both: asks for an action token and spends it at once. */
  async score(options = {}) {
    const { actionToken } = await this.actionToken(options);
    return this.increment(actionToken, options);
  }

  #command(event, data, options) {
    if (this.#closed) return Promise.reject(new ScoreboardError("CLOSED", "The client is closed."));
    if (!this.#account.signedIn) return Promise.reject(new ScoreboardError("UNAUTHORIZED", "Nobody is signed in."));
    return this.#commands.ask(event, data, options);
  }

  #sendCommand(frame) {
    if (!this.#socket || !this.#maySpeak) return false;
    this.#socket.send(JSON.stringify(frame));
    // A line that died without a word is found out sooner when somebody waits for an answer.
    if (this.#timers.dueAt("answer") === null) this.#timers.set("unacked", () => this.#ping(), ACK_EXPECTED_WITHIN_MS);
    return true;
  }

  #byRest(command) {
    if (!this.#polling || this.#maySpeak) return null;
    command.byRest = true;
    const { actionToken, idempotencyKey } = command.data ?? {};
    const headers = idempotencyKey ? { "Idempotency-Key": idempotencyKey } : {};
    const body = actionToken && { actionToken };
    return this.#account.access().then((access) => this.#ask("POST", BY_REST[command.event], { access, headers, body }));
  }

  // --- accounts ---

  /** Signs in with a name and a password; from now on this client may score. Rejects with INVALID_CREDENTIALS and others. */
  signIn(username, password) {
    return this.#entered("api/auth/login", { username, password });
  }

  /** Makes an account and signs in to it: {userId, username, accessToken, refreshToken, expiresIn}. */
  register(username, email, password) {
    return this.#entered("api/auth/register", { username, email, password });
  }

  /** A new access token in exchange for the refresh token; done by itself when the server says that it is time. */
  async refresh() {
    const accessToken = await this.#account.renew();
    this.#introduce(accessToken);
    return accessToken;
  }

  async #entered(path, body) {
    const answer = await this.#ask("POST", path, { body });
    if (answer.status >= 300) throw errorOf(answer);
    const tokens = this.#account.keep(answer.body);
    this.#introduce(tokens.accessToken);
    return tokens;
  }

  // Tells the open socket who we are now; one that is not open yet is told when it opens.
  #introduce(token) {
    if (!this.#opened) return;
    this.#maySpeak = false;
    this.#say("authenticate", { token });
    this.#await("authenticate");
  }

  // What is personal is asked for once the server knows who we are, anew after each new token.
  #introduced() {
    this.#maySpeak = true;
    for (const channel of this.#channels.values()) if (channel.isPersonal) this.#subscribe(channel);
    if (this.#awaited.delete("authenticate")) this.#settle();
    this.#commands.flush();
  }

  #mustWait(channel) {
    return channel.isPersonal && this.#awaited.has("authenticate");
  }

  // The server says that the sign-in is no longer good: a new token, or everybody hears that one must sign in.
  async #renew(why) {
    if (this.#renewing) return;
    this.#renewing = true;
    this.#maySpeak = false;
    this.#awaited.delete("authenticate");
    try {
      await this.refresh();
      this.#commands.flush();
    } catch (failure) {
      if (isLater(failure)) return this.#opened && this.#lost({ retryAfter: failure.retryAfter });
      this.#signedOut(failure.code === "ACCESS_TOKEN_EXPIRED" ? why : failure);
    } finally {
      this.#renewing = false;
    }
  }

  #signedOut(why) {
    this.#account.forget();
    this.#commands.failAll(why);
    this.#tell(this.#options.onError, why);
    this.#settle();
  }

  // --- the socket ---

  /** The network may be back, or somebody looks again: do not wait out the delay. */
  retryNow() {
    if (this.#closed) return;
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

  #connect() {
    this.#timers.clear("retry");
    this.#letGo();
    this.#timers.set("answer", () => this.#lost(), ANSWER_WITHIN_MS);
    const turn = this.#turn;
    const current = () => turn === this.#turn;
    if (!this.#account.signedIn) this.#open({});
    else
      this.#pass().then(
        (pass) => current() && this.#open(pass),
        (failure) => current() && this.#lost({ retryAfter: failure?.retryAfter }),
      );
    this.#report();
  }

  // How to say who we are: a ticket for the address, or the token for the first message where the server has no tickets.
  async #pass() {
    try {
      const access = await this.#account.access();
      if (!this.#hasTickets) return { token: access };
      const ticket = (token) => this.#ask("POST", "api/v1/live/ticket", { access: token });
      let answer = await ticket(access);
      if (answer.status === 401) answer = await ticket(await this.#account.renew());
      if (answer.status < 300) return { ticket: answer.body.data.ticket };
      this.#hasTickets = answer.status !== 404 && answer.status !== 405;
      if (!this.#hasTickets) return { token: await this.#account.access() };
      throw errorOf(answer);
    } catch (failure) {
      if (isLater(failure)) throw failure;
      this.#signedOut(failure);
      return {};
    }
  }

  #open({ ticket, token }) {
    const url = new URL("ws/leaderboard", this.#base);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    if (ticket) url.searchParams.set("ticket", ticket);
    try {
      this.#socket = this.#world.openSocket(url.href, {
        opened: () => this.#begin(Boolean(ticket), token),
        received: (text) => this.#receive(text),
        closed: ({ code, reason } = {}) => this.#lost({ code, retryAfter: code === RENEWED ? toldIn(reason) : null }),
      });
    } catch {
      this.#lost();
    }
  }

  #begin(maySpeak, token) {
    this.#opened = true;
    this.#maySpeak = maySpeak;
    if (token) this.#introduce(token);
    for (const channel of this.#channels.values()) if (!this.#mustWait(channel)) this.#subscribe(channel);
    this.#commands.flush();
    this.#settle();
  }

  #subscribe(channel) {
    if (channel.hasBoard) this.#await(channel.name);
    this.#say("subscribe", { channel: channel.name, ...(channel.radius && { radius: channel.radius }) });
  }

  #await(what) {
    this.#awaited.add(what);
    this.#timers.set("answer", () => this.#lost(), ANSWER_WITHIN_MS);
  }

  // Live is who has heard all that was asked for.
  #settle() {
    if (!this.#opened || this.#awaited.size) return;
    this.#timers.clear("answer");
    if (!this.#live) this.#becameLive();
  }

  #letGo() {
    const socket = this.#socket;
    this.#turn += 1;
    this.#socket = null;
    this.#opened = this.#live = this.#maySpeak = false;
    this.#awaited.clear();
    this.#commands.lost();
    socket?.close();
  }

  #lost({ code, retryAfter } = {}) {
    if (this.#closed) return;
    const refused = !this.#live;
    this.#letGo();
    for (const name of ["answer", "silence", "stable", "unacked"]) this.#timers.clear(name);
    this.#refusals = refused ? this.#refusals + 1 : 0;
    if (this.#refusals === REFUSALS_BEFORE_POLLING) this.#startPolling();
    // Who is cut for what it sent comes back slowly: the same would happen again.
    if (CLOSED_FOR_OUR_FAULT.has(code)) this.#attempt = Math.max(this.#attempt, 4);
    const chance = this.#world.chance();
    const told = (retryAfter ?? 0) * 1000;
    const usual = Math.max(retryDelay(this.#attempt, this.#polling, chance), told * (1 + 0.25 * chance));
    const delay = code === RENEWED && told && !refused ? told : usual;
    this.#attempt += 1;
    this.#timers.set("retry", () => this.#connect(), delay);
    this.#report();
    if (CLOSED_FOR_OUR_FAULT.has(code)) this.#tell(this.#options.onError, new ScoreboardError("LINE_CLOSED", `Close code ${code}.`));
  }

  #say(event, data) {
    this.#socket?.send(JSON.stringify({ event, data }));
  }

  #receive(text) {
    this.#timers.set("silence", () => this.#ping(), PING_AFTER_SILENCE_MS);
    this.#timers.clear("unacked");
    if (!this.#awaited.size) this.#timers.clear("answer");
    const frame = parsed(text);
    if (typeof frame?.event !== "string") return;
    if (frame.id !== undefined) return this.#commands.answered(frame);
    if (frame.event === "authenticated") return this.#introduced();
    if (frame.event === "error") return this.#refused(frame.data ?? {});
    const channel = this.#channels.get(frame.data?.channel);
    if (!channel) return;
    if (frame.event === "leaderboard.update") this.#full(channel, frame.data);
    else if (frame.event === "leaderboard.diff") this.#diff(channel, frame.data);
    else for (const watcher of channel.watchers) watcher.news(frame.event, frame.data);
  }

  #full(channel, data) {
    const { verdict, board } = applyFull(channel.board, data);
    // A full update that is damaged will not get better by asking the same server again at once.
    if (verdict === "behind") return this.#lost();
    this.#awaited.delete(channel.name);
    channel.accept(board);
    this.#settle();
  }

  #diff(channel, data) {
    if (this.#awaited.has(channel.name)) return;
    const { verdict, board } = applyDiff(channel.board, data);
    if (verdict === "applied") channel.accept(board);
    if (verdict === "behind") this.#subscribe(channel);
  }

  // An error that names no command answers a sign-in or a subscription, or says that the sign-in has ended.
  #refused({ code, message, channel: named }) {
    const error = new ScoreboardError(EXPIRY_CODES.has(code) ? `ACCESS_${code}` : code, message);
    const answersSignIn = !named && this.#awaited.has("authenticate") && SIGN_IN_CODES.has(code);
    if (EXPIRY_CODES.has(code) || answersSignIn) return void this.#renew(error);
    if (AGAIN_CODES.has(code)) return;
    const [first] = [...this.#awaited].filter((name) => name !== "authenticate");
    const channel = this.#channels.get(named ?? first);
    if (!channel) return this.#tell(this.#options.onError, error);
    this.#forget(channel);
    for (const watcher of channel.watchers) watcher.fail(error);
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

  // --- requests and polling ---

  #ask(method, path, { access, body, headers = {} } = {}) {
    const all = { Accept: "application/json", ...headers };
    if (access) all.Authorization = `Bearer ${access}`;
    if (body) all["Content-Type"] = "application/json";
    const url = new URL(path, this.#base).href;
    return this.#world.request({ method, url, headers: all, body: body && JSON.stringify(body), within: POLL_EVERY_MS - 500 });
  }

  #startPolling() {
    this.#polling = true;
    this.#pollAnswered = true;
    this.#attempt = 0;
    this.#poll();
    this.#commands.flush();
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
    for (const channel of this.#channels.values()) {
      if (channel.pollPath) this.#pollOne(channel, () => turn === this.#pollTurn);
    }
  }

  #pollOne(channel, current) {
    const headers = channel.etag ? { "If-None-Match": channel.etag } : {};
    this.#ask("GET", channel.pollPath, { headers }).then(
      (answer) => current() && this.#polled(channel, answer),
      () => current() && this.#unanswered(),
    );
  }

  #polled(channel, answer) {
    if (answer.status !== 304) {
      const { verdict, board } = answer.status === 200 ? applyPoll(channel.board, answer.body) : { verdict: "behind" };
      if (verdict === "behind") return this.#unanswered(retryAfterOf(answer));
      channel.accept(board, answer.headers.etag ?? null);
    }
    const isBack = !this.#pollAnswered;
    this.#pollAnswered = true;
    this.#commands.flush();
    // The server is back from the dead: try the socket soon, but not all clients in the same instant.
    if (isBack) this.#timers.set("retry", () => this.#connect(), Math.round(this.#world.chance() * 2_000));
    this.#report();
  }

  #unanswered(retryAfter = null) {
    this.#pollAnswered = false;
    if (retryAfter * 1000 > POLL_EVERY_MS) this.#timers.set("poll", () => this.#poll(), retryAfter * 1000);
    this.#report();
  }

  // --- reports ---

  #report() {
    this.#options.onStatus?.(this.status);
  }

  #tell(onError, error) {
    if (onError) onError(error);
    else console.warn(`scoreboard: ${error.message}`);
  }

  /** How the way to the scoreboard is now; see connect(). */
  get status() {
    if (this.#closed) return { state: "closed" };
    if (this.#live) return { state: "live" };
    if (this.#polling && this.#pollAnswered) return { state: "polling" };
    if (this.#polling) return { state: "offline", retryAt: this.#timers.dueAt("poll") };
    const retryAt = this.#timers.dueAt("retry");
    return retryAt === null && !this.#everLive ? { state: "connecting" } : { state: "reconnecting", retryAt };
  }
}
