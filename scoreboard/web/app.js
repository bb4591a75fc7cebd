// Wires the feed to the page.

import { Feed } from "./feed.js";
import { View } from "./view.js";

function socketUrl() {
  const url = new URL("ws/leaderboard", document.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

const view = new View();
const feed = new Feed({
  socketUrl: socketUrl(),
  pollUrl: new URL("api/scores/top?limit=10", document.baseURI).href,
  onBoard: (board) => view.board(board),
  onStatus: (status) => view.connection(status),
});

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) view.catchUp();
  feed.setVisible(!document.hidden);
});
window.addEventListener("online", () => feed.retryNow());
setInterval(() => view.tick(), 1_000);

feed.start();
