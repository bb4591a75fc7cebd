// The JavaScript client against a real server: told what to do by lines of standard input, and listened to.
// usage: node talk.mjs URL; verbs {"verb": "register" | "watch" | "score" | "end", ...}; prints {"what": ..., ...} lines.

import { createInterface } from "node:readline";
import { connect } from "../../scoreboard/web/client.js";

const tell = (what, more = {}) => process.stdout.write(`${JSON.stringify({ what, ...more })}\n`);

const scoreboard = connect(process.argv[2], {
  debounceMs: 0,
  onStatus: ({ state }) => tell("status", { state }),
  onError: ({ code }) => tell("error", { code }),
});

const verbs = {
  register: ({ name, email, password }) => scoreboard.register(name, email, password).then(({ userId }) => tell("registered", { userId })),
  watch: ({ channel }) => scoreboard.watch(channel, ({ rows }) => tell("board", { scores: rows.map((row) => [row.username, row.score]) })),
  score: ({ within }) => scoreboard.score({ within }).then((score) => tell("scored", score)),
  end: () => (scoreboard.close(), process.exit(0)),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { verb, ...more } = JSON.parse(line);
  Promise.resolve(verbs[verb](more)).catch((error) => tell("failed", { verb, code: error.code, message: error.message }));
}
