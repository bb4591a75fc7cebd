// An increment: steps 8 to 15 of document A's flow.

import * as actions from './actions.js';

const RANKS = 'leaderboard';

// Named, so that Postgres parses and plans each once a connection.
const RAISE = {
  name: 'raise',
  text: 'UPDATE users SET score = score + 1, updated_at = now() WHERE user_id = $1 RETURNING score',
};
const RECORD = {
  name: 'record',
  text: `INSERT INTO actions (user_id, action_type, action_token, ip_address, user_agent)
         VALUES ($1, 'INCREMENT', $2, $3, $4)`,
};

async function commit(pool, userId, token, address, agent) {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const { rows: [user] } = await client.query({ ...RAISE, values: [userId] });
    await client.query({ ...RECORD, values: [userId, token.signature, address, agent] });
    await client.query('COMMIT');
    client.release();
    return Number(user.score);
  } catch (error) {
    client.release(true); // a fresh connection is surely not within a transaction
    throw error;
  }
}

// Ranks from a sorted set beside the cache: three commands in the round trip that steps 14 and 15 need anyway. Counting
// in Postgres would be two more queries, each over as many rows as there are better players. GT: two requests of one
// player may come here in another order than they were committed in.
async function rank(redis, userId, score) {
  const answers = await redis.pipeline()
    .zrevrank(RANKS, userId)
    .zadd(RANKS, 'GT', score, userId)
    .zrevrank(RANKS, userId)
    .del('leaderboard:top10')
    .publish('score_update', JSON.stringify({ timestamp: Date.now() }))
    .exec();
  const [before, , after] = answers.map(([error, value]) => {
    if (error) throw error;
    return value;
  });
  return [before === null ? null : before + 1, after + 1];
}

export async function increment({ pool, redis }, userId, token, address, agent) {
  actions.check(token, userId);
  await actions.spend(redis, token);
  const newScore = await commit(pool, userId, token, address, agent);
  const [previousRank, newRank] = await rank(redis, userId, newScore);
  return { success: true, newScore, previousRank, newRank, rankChanged: previousRank !== newRank };
}
