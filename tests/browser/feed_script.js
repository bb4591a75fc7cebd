// Plays the client, watching one board, through a script in a world without sockets, requests or time, and writes down what it did.

import { Scoreboard } from "../web/client.js";

class ScriptedWorld {
  time = 0;
  log = [];
  timers = new Map();
  polls = [];
  on = null;

  openSocket(url, on) {
    this.log.push(["connect"]);
    this.on = on;
    return {
      send: (text) => this.log.push(["sent", JSON.parse(text)]),
      close: () => this.log.push(["close"]),
    };
  }

  request() {
    this.log.push(["poll"]);
    return new Promise((resolve, reject) => this.polls.push({ resolve, reject }));
  }

  setTimer(run, ms) {
    const id = this.timers.size + 1;
    this.timers.set(id, { run, at: this.time + ms });
    return id;
  }

  clearTimer(id) {
    this.timers.get(id).run = () => {};
  }

  now() {
    return this.time;
  }

  chance() {
    return 1;
  }

  pass(ms) {
    const end = this.time + ms;
    for (;;) {
      const due = [...this.timers.values()].filter((timer) => timer.at <= end && !timer.fired);
      if (due.length === 0) break;
      const next = due.reduce((a, b) => (b.at < a.at ? b : a));
      next.fired = true;
      this.time = next.at;
      next.run();
    }
    this.time = end;
  }
}

/** Plays [name, argument] steps; answers what it did: connect, close, sent, poll, board and status entries. */
export async function play(steps) {
  const world = new ScriptedWorld();
  const scoreboard = new Scoreboard("http://scripted", {
    debounceMs: 0,
    onStatus: ({ state, retryAt }) => {
      const entry = retryAt ? ["status", state, retryAt - world.time] : ["status", state];
      if (world.told !== entry.join()) world.log.push(entry);
      world.told = entry.join();
    },
    world,
  });
  scoreboard.watch("leaderboard.top10", (board) => world.log.push(["board", board.version, board.rows.map((row) => row.username)]));
  const act = {
    start: () => scoreboard.start(),
    stop: () => scoreboard.close(),
    opened: () => world.on.opened(),
    frame: (frame) => world.on.received(JSON.stringify(frame)),
    text: (text) => world.on.received(text),
    closed: () => world.on.closed(),
    pass: (ms) => world.pass(ms),
    polled: (document) => world.polls.shift().resolve({ status: 200, headers: {}, body: document }),
    unanswered: () => world.polls.shift().reject(new Error("no answer")),
    hidden: () => scoreboard.setVisible(false),
    visible: () => scoreboard.setVisible(true),
    retry: () => scoreboard.retryNow(),
    forget: () => (world.log.length = 0),
  };
  for (const [name, argument] of steps) {
    act[name](argument);
    await new Promise((settled) => setTimeout(settled, 0));
  }
  return world.log;
}
