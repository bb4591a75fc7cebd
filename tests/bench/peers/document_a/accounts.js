// Players: only what the bench needs before it can begin.

import { randomBytes, scryptSync } from 'node:crypto';
import * as access from './access.js';
import { Failure } from './failure.js';

// The cheapest that scrypt can do; who signs in is not what is measured.
const hash = (password) => {
  const salt = randomBytes(16);
  return `${salt.toString('hex')}:${scryptSync(password, salt, 32, { N: 2 }).toString('hex')}`;
};

export async function register(pool, { username, email, password }) {
  const { rows: [user] } = await pool.query(
    'INSERT INTO users (username, email, password_hash) VALUES ($1, $2, $3) RETURNING user_id',
    [username, email, hash(password)],
  );
  return { userId: user.user_id, username, accessToken: access.issue(user.user_id, username), expiresIn: 86_400 };
}

export async function find(pool, userId) {
  const { rows: [user] } = await pool.query('SELECT username, score FROM users WHERE user_id = $1', [userId]);
  if (!user) throw new Failure(404, 'USER_NOT_FOUND', 'No such user');
  return { userId, username: user.username, score: Number(user.score) };
}
