// The board as plain data, and the rule by which frames change it. Pure: no socket, no clock, no document.
//
// A board is {epoch, version, rows, totalUsers, changedAt}; rows are {rank, userId, username, score, lastUpdated} in order
// of rank. Nothing here changes a board that it was given: each function answers {verdict, board}, where the verdict is
//   "applied"  the board is the new one
//   "ignored"  the frame was older than what we have
//   "behind"   the frame does not fit (a gap, another epoch, a wrong checksum, a malformed row): ask for a full update

import { crc32 } from "./crc32.js";

export const EMPTY_BOARD = Object.freeze({ epoch: null, version: 0, rows: [], totalUsers: 0, changedAt: null });

/** The text that a frame's `check` covers. */
export function checksumText(rows) {
  return rows.map((row) => `${row.rank}:${row.userId}:${row.score}`).join(";");
}

/** A `leaderboard.update`: replaces everything. "behind" means that the frame itself is damaged. */
export function applyFull(board, data) {
  const rows = inOrder(data.leaderboard);
  if (!rows || !checkHolds(rows, data.check)) return behind(board);
  return applied({
    epoch: data.epoch,
    version: data.version,
    rows,
    totalUsers: data.totalUsers,
    changedAt: newestChange(rows),
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
  });
}

/** The answer of GET /api/scores/top. It has no epoch, so that no diff fits it: the socket begins with a full update. */
export function applyPoll(board, document) {
  const rows = inOrder(document?.leaderboard);
  if (!rows) return behind(board);
  const totalUsers = document.totalUsers ?? rows.length;
  return applied({ epoch: null, version: 0, rows, totalUsers, changedAt: newestChange(rows) });
}

/** What a person sees change between two boards, by user id: {gained, movedFrom}; newcomers have movedFrom null. */
export function changesBetween(before, after) {
  const old = new Map(before.rows.map((row) => [row.userId, row]));
  return after.rows.flatMap((row) => {
    const was = old.get(row.userId);
    const gained = was ? row.score - was.score : 0;
    if (was && was.rank === row.rank && gained === 0) return [];
    return [{ userId: row.userId, username: row.username, score: row.score, gained, movedFrom: was?.rank ?? null }];
  });
}

/** The row that leads, or null while nobody has a point. */
export function leaderOf(board) {
  const first = board.rows[0];
  return first && first.score > 0 ? first : null;
}

function applied(board) {
  return { verdict: "applied", board };
}

function behind(board) {
  return { verdict: "behind", board };
}

function merged(rows, { changes = [], removed = [] }) {
  const byUser = new Map(rows.map((row) => [row.userId, row]));
  for (const userId of removed) byUser.delete(userId);
  for (const row of changes) byUser.set(row.userId, row);
  return inOrder([...byUser.values()]);
}

// Ranks must be 1, 2, 3, ...: a hole or a double rank is a gap that a frame without a checksum would hide.
function inOrder(rows) {
  if (!Array.isArray(rows) || !rows.every(isRow)) return null;
  const ordered = [...rows].sort((a, b) => a.rank - b.rank);
  return ordered.every((row, index) => row.rank === index + 1) ? ordered : null;
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
