// The page: takes boards and connection states, and shows at most one board an animation frame.

import { changesBetween, leaderOf } from "./board.js";
import { EMPTY_BOARD } from "./client.js";
import { Latest } from "./latest.js";
import { Leader } from "./leader.js";
import { Rows } from "./rows.js";
import { Status } from "./status.js";
import { Ticker, asText } from "./ticker.js";

const byId = (id) => document.getElementById(id);

export class View {
  #rows;
  #leader;
  #latest = new Latest(byId("latest"));
  #status;
  #shown = null;
  #next = null;
  #catchingUp = false;

  constructor() {
    const ticker = new Ticker();
    this.#rows = new Rows(byId("rows"), ticker);
    this.#leader = new Leader(leaderParts(), ticker);
    this.#status = new Status(statusParts());
    byId("recipe").textContent = recipe(document.baseURI);
  }

  /** The board as it is now. Several within one frame are one; in a hidden tab the newest waits until somebody looks. */
  board(board) {
    if (!this.#next) requestAnimationFrame(() => this.#render());
    this.#next = board;
  }

  connection(status) {
    this.#status.connection(status);
  }

  tick() {
    this.#status.tick();
  }

  /** The next board shows what nobody was there to see: without motion and marks. */
  catchUp() {
    this.#catchingUp = true;
    if (this.#shown) this.board(this.#next ?? this.#shown);
  }

  #render() {
    const board = this.#next;
    const first = this.#shown === null;
    const quiet = first || this.#catchingUp;
    const changes = changesBetween(this.#shown ?? EMPTY_BOARD, board);
    this.#next = null;
    this.#catchingUp = false;
    this.#shown = board;
    this.#frame(board);
    this.#rows.render(board, changes, { quiet });
    this.#leader.render(board, { quiet, first });
    this.#latest.render(changes, board.changedAt, { quiet });
    this.#status.board(board);
  }

  #frame(board) {
    byId("stage").dataset.board = board.rows.length ? "shown" : "empty";
    const { style } = byId("table");
    style.setProperty("--digits", String(longest(board.rows.map((row) => row.score))));
    style.setProperty("--gap-digits", String(1 + longest(board.rows.map((row) => board.rows[0].score - row.score))));
    const leader = leaderOf(board);
    document.title = leader ? `${leader.username} leads with ${asText(leader.score)} - Scoreboard` : "Scoreboard";
  }
}

// The columns of numbers are as wide as their longest number needs.
function longest(numbers) {
  return Math.max(2, ...numbers.map((number) => asText(number).length));
}

function leaderParts() {
  const names = ["sweep", "title", "name", "score", "unit", "note"];
  const parts = Object.fromEntries(names.map((name) => [name, byId(`leader-${name}`)]));
  return { ...parts, panel: byId("leader"), announcer: byId("announcer") };
}

function statusParts() {
  return {
    link: byId("link"),
    linkText: byId("link-text"),
    total: byId("total"),
    changed: byId("changed"),
    age: byId("age"),
    tieNote: byId("tie-note"),
  };
}

function recipe(base) {
  const api = new URL("api/", base).href;
  return `# register a player and keep the access token
TOKEN=$(curl -s ${api}auth/register -H 'Content-Type: application/json' \\
  -d '{"username":"first","email":"first@example.com","password":"Choose-0ne!"}' | jq -r .accessToken)

# ask for an action token and hand it in: one point
curl -s -X POST ${api}actions/token -H "Authorization: Bearer $TOKEN" | jq '{actionToken}' |
curl -s ${api}scores/increment -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d @-`;
}
