// Plays conversations with scoreboard/web/client.js in a world without sockets, requests or time.
// Standard input: a JSON list of {client, steps}; standard output: for each the list of what the client did after each step.

import { EMPTY_BOARD, Scoreboard } from "../../scoreboard/web/client.js";

class ScriptedWorld {
  time = 0;
  done = [];
  #chance;
  #keys = 0;
  #timers = new Map();
  #lastTimer = 0;
  #requests = [];
  #socket = null;

  constructor(chance) {
    this.#chance = chance;
  }

  openSocket(url, on) {
    this.done.push({ opens: pathOf(url) });
    const socket = { on, open: true };
    this.#socket = socket;
    return {
      send: (text) => this.done.push({ says: JSON.parse(text) }),
      close: () => {
        if (socket.open) this.done.push({ "hangs up": true });
        socket.open = false;
      },
    };
  }

  request({ method, url, headers, body }) {
    const asked = { asks: `${method} ${pathOf(url)}` };
    if (headers.Authorization) asked.as = headers.Authorization.replace("Bearer ", "");
    if (headers["Idempotency-Key"]) asked.key = headers["Idempotency-Key"];
    if (headers["If-None-Match"]) asked.unless = headers["If-None-Match"];
    if (body) asked.with = JSON.parse(body);
    this.done.push(asked);
    return new Promise((resolve, reject) => this.#requests.push({ resolve, reject }));
  }

  setTimer(run, ms) {
    this.#timers.set((this.#lastTimer += 1), { run, at: this.time + ms });
    return this.#lastTimer;
  }

  clearTimer(id) {
    this.#timers.delete(id);
  }

  now = () => this.time;
  chance = () => this.#chance;
  key = () => `key-${(this.#keys += 1)}`;

  accepts() {
    this.#socket.on.opened();
  }

  says(text) {
    this.#socket.on.received(text);
  }

  closes(how) {
    this.#socket.open = false;
    this.#socket.on.closed(typeof how === "object" ? how : { code: how });
  }

  answers(answer) {
    this.#requests.shift().resolve({ headers: {}, body: null, ...answer });
  }

  keepsSilent() {
    this.#requests.shift().reject(new Error("no answer"));
  }

  async pass(ms) {
    const end = this.time + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.at <= end);
      if (due.length === 0) break;
      const [id, next] = due.reduce((a, b) => (b[1].at < a[1].at ? b : a));
      this.#timers.delete(id);
      this.time = next.at;
      next.run();
      await settled();
    }
    this.time = end;
  }
}

const pathOf = (url) => url.slice(new URL(url).origin.length);
const settled = () => new Promise((resolve) => setImmediate(resolve));

class Player {
  #world;
  #scoreboard;
  #stops = {};
  #told = "";

  constructor({ debounceMs = 0, token, refreshToken, watches = ["leaderboard.top10"], chance = 1 }) {
    this.#world = new ScriptedWorld(chance);
    const { done } = this.#world;
    this.#scoreboard = new Scoreboard("http://scripted", {
      debounceMs,
      token,
      refreshToken,
      onStatus: (status) => this.#status(status),
      onError: ({ code }) => done.push({ reports: code }),
      onTokens: ({ accessToken }) => done.push({ keeps: accessToken }),
      world: this.#world,
    });
    for (const channel of watches) this.watch(channel);
  }

  get done() {
    return this.#world.done;
  }

  #status({ state, retryAt }) {
    const told = retryAt ? `${state} in ${Math.round(retryAt - this.#world.time)}` : state;
    if (told !== this.#told) this.done.push({ status: told });
    this.#told = told;
  }

  watch(what) {
    const { channel, radius } = typeof what === "string" ? { channel: what } : what;
    const shown = (board) => this.done.push({ shows: `${channel} ${asText(board)}` });
    const onNews = (event, data) => this.done.push({ "hears of": [event, data] });
    const onError = ({ code }) => this.done.push({ "cannot watch": [channel, code] });
    this.#stops[channel] = this.#scoreboard.watch(channel, shown, { radius, onNews, onError });
  }

  #hears(promise) {
    promise.then(
      (answer) => this.done.push({ hears: answer }),
      ({ code, retryAfter, retry }) => this.done.push({ "hears no": { code, ...(retryAfter && { retryAfter }), ...(retry && { retry }) } }),
    );
  }

  acts = {
    starts: () => this.#scoreboard.start(),
    "server accepts": () => this.#world.accepts(),
    "server says": (frame) => this.#world.says(typeof frame === "string" ? frame : JSON.stringify(frame)),
    "server closes": (code) => this.#world.closes(code),
    "server answers": (answer) => this.#world.answers(answer),
    "server keeps silent": () => this.#world.keepsSilent(),
    passes: (ms) => this.#world.pass(ms),
    watches: (channel) => this.watch(channel),
    leaves: (channel) => this.#stops[channel](),
    "retries now": () => this.#scoreboard.retryNow(),
    "asks for a token": () => this.#hears(this.#scoreboard.actionToken().then(({ actionToken }) => actionToken)),
    increments: ([actionToken, idempotencyKey]) => this.#hears(this.#scoreboard.increment(actionToken, { idempotencyKey }).then(scored)),
    scores: () => this.#hears(this.#scoreboard.score().then(scored)),
    "signs in": ([name, password]) => this.#hears(this.#scoreboard.signIn(name, password).then(({ accessToken }) => accessToken)),
    ends: () => this.#scoreboard.close(),
  };
}

const scored = ({ newScore, previousRank, newRank, rankChanged, repeated }) => ({ newScore, previousRank, newRank, rankChanged, repeated });

function asText({ version, rows } = EMPTY_BOARD) {
  return [`v${version}:`, rows.map(({ rank, username, score }) => `${rank} ${username} ${score}`).join(", ")].join(" ").trim();
}

async function play({ client, steps }) {
  const player = new Player(client);
  const groups = [];
  for (const [act, argument] of steps) {
    await player.acts[act](argument);
    await settled();
    groups.push(player.done.splice(0));
  }
  return groups;
}

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const played = [];
for (const conversation of JSON.parse(Buffer.concat(chunks))) {
  played.push(await play(conversation).catch((error) => [[{ "breaks": String(error.stack) }]]));
}
process.stdout.write(JSON.stringify(played));
