// What a person reads from boards. What a board is, says client.js.

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
