// Wires the client to the page.

import { connect } from "./client.js";
import { View } from "./view.js";

const view = new View();
// The server tells of a change at most once a second, and the view paints once a frame: nothing else need be held back.
const scoreboard = connect(new URL(".", document.baseURI), { debounceMs: 0, onStatus: (status) => view.connection(status) });
scoreboard.watch("leaderboard.top10", (board) => view.board(board));

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) view.catchUp();
  scoreboard.setVisible(!document.hidden);
});
window.addEventListener("online", () => scoreboard.retryNow());
setInterval(() => view.tick(), 1_000);
