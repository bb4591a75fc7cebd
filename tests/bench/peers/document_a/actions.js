// Action tokens: steps 2 to 5 of document A's flow, and the half of steps 8 and 9 that needs no store.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Failure } from './failure.js';

const SECRET = randomBytes(32);
const LIFETIME_S = 60;

const sign = (userId, timestamp, nonce) =>
  createHmac('sha256', SECRET).update(`${userId}:${timestamp}:${nonce}`).digest('hex');

export const keyOf = (token) => `action:${token.userId}:${token.nonce}`;

export function make(userId) {
  const timestamp = Date.now();
  const nonce = randomBytes(6).toString('hex');
  return { userId, timestamp, nonce, signature: sign(userId, timestamp, nonce) };
}

export const answerOf = (token) => ({
  actionToken: token, expiresAt: token.timestamp + LIFETIME_S * 1000, expiresIn: LIFETIME_S,
});

export function check(token, userId) {
  const { timestamp, nonce, signature } = token ?? {};
  if (!Number.isSafeInteger(timestamp) || typeof nonce !== 'string' || typeof signature !== 'string') {
    throw new Failure(400, 'TOKEN_INVALID', 'No action token');
  }
  if (Date.now() - timestamp >= LIFETIME_S * 1000) throw new Failure(400, 'TOKEN_EXPIRED', 'Action token has expired');
  const expected = Buffer.from(sign(token.userId, timestamp, nonce));
  const given = Buffer.from(signature);
  if (token.userId !== userId || given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new Failure(400, 'TOKEN_INVALID', 'Not a token of ours');
  }
}

export const store = (redis, token) => redis.set(keyOf(token), 'issued', 'EX', LIFETIME_S);

// Exists, not used, mark as used: one command, so that of two requests with one token only one may pass.
export async function spend(redis, token) {
  const before = await redis.set(keyOf(token), 'used', 'XX', 'KEEPTTL', 'GET');
  if (before === null) throw new Failure(400, 'TOKEN_EXPIRED', 'Action token has expired');
  if (before === 'used') throw new Failure(400, 'TOKEN_ALREADY_USED', 'Action token has already been used');
}
