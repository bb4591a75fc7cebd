// Access tokens: JWT signed with RS256, as document A shows them.

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { Failure } from './failure.js';

const KEY_ID = 'key-1';
const NAMES = { issuer: 'scoreboard-api', audience: 'scoreboard-client' };

// Keys as objects: given as text they would be parsed again for every request.
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

export function issue(userId, username) {
  return jwt.sign({ username }, privateKey, {
    algorithm: 'RS256', keyid: KEY_ID, subject: userId, jwtid: randomUUID(), expiresIn: '24h', ...NAMES,
  });
}

export function verify(token) {
  return jwt.verify(token, publicKey, { algorithms: ['RS256'], ...NAMES });
}

export function authenticate(request, response, next) {
  const header = request.headers.authorization ?? '';
  if (!header.startsWith('Bearer ')) throw new Failure(401, 'UNAUTHORIZED', 'An access token is needed');
  try {
    request.user = verify(header.slice(7));
  } catch {
    throw new Failure(401, 'UNAUTHORIZED', 'The access token is not valid');
  }
  next();
}
