// How programs use the client: this must be accepted, and what is marked must be refused.

import { ScoreboardError, applyDiff, connect, crc32, EMPTY_BOARD } from "../../../scoreboard/web/client.js";
import type { ActionToken, Board, Row, Score, Status, Tokens } from "../../../scoreboard/web/client.js";

function statusText(status: Status): string {
  return status.state === "reconnecting" || status.state === "offline" ? `${status.state} ${status.retryAt ?? ""}` : status.state;
}

const scoreboard = connect(new URL("https://scores.example.org/"), {
  token: async () => "jwt",
  debounceMs: 0,
  onStatus: (status) => console.log(statusText(status)),
  onTokens: ({ refreshToken }: Tokens) => localStorage.setItem("refresh", refreshToken ?? ""),
});

const stop: () => void = scoreboard.watch("leaderboard.top10", (board: Board) => {
  const first: Row | undefined = board.rows[0];
  console.log(first?.username.toUpperCase(), board.totalUsers.toFixed());
});
stop();

async function play(): Promise<Score> {
  const { actionToken }: { actionToken: ActionToken } = await scoreboard.actionToken({ within: 5_000 });
  try {
    return await scoreboard.increment(actionToken, { idempotencyKey: "level-7" });
  } catch (error) {
    if (error instanceof ScoreboardError && error.retry) return scoreboard.increment(error.retry.actionToken, error.retry);
    throw error;
  }
}

scoreboard.watch("leaderboard.around_me", null, { radius: 10 });
// @ts-expect-error - a number
scoreboard.watch("leaderboard.around_me", null, { radius: "10" });

for await (const board of scoreboard.views("leaderboard.weekly.top3")) console.log(board.version, await play());

const checked: number = crc32("");
const { verdict } = applyDiff(EMPTY_BOARD, {});
if (verdict === "behind") console.log(checked);

// @ts-expect-error - a board is read, not written
EMPTY_BOARD.version = 1;
// @ts-expect-error - there is no such option
connect("https://scores.example.org", { debounce: 0 });
// @ts-expect-error - what the server gave, not its signature
void scoreboard.increment("signature");
// @ts-expect-error - there is no such verdict
if (verdict === "maybe") console.log();
