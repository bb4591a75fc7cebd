// Document A's flow on its own stack, in one process. Environment: PGHOST (the socket's folder), PGUSER, PGDATABASE,
// REDIS_SOCKET, BROADCAST_MS (see live.js). Says "port N" when it serves.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import express from 'express';
import { Redis } from 'ioredis';
import pg from 'pg';
import { authenticate } from './access.js';
import * as accounts from './accounts.js';
import * as actions from './actions.js';
import { answerFailure } from './failure.js';
import { count } from './limits.js';
import { serveLive } from './live.js';
import { increment } from './scores.js';

const POOL = 20; // 10 and 40 were no quicker

function routes({ pool, redis }) {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag'); // nothing here is asked for twice
  app.use(express.json({ limit: '16kb' }));

  app.post('/api/auth/register', async (request, response) => {
    response.status(201).json(await accounts.register(pool, request.body));
  });
  app.get('/api/scores/user/:userId', async (request, response) => {
    response.json(await accounts.find(pool, request.params.userId));
  });
  app.post('/api/actions/token', authenticate, async (request, response) => {
    const userId = request.user.sub;
    await count(redis, 'token', userId);
    const token = actions.make(userId);
    await actions.store(redis, token);
    response.json(actions.answerOf(token));
  });
  app.post('/api/scores/increment', authenticate, async (request, response) => {
    const userId = request.user.sub;
    await count(redis, 'score', userId);
    const agent = request.headers['user-agent'] ?? null;
    response.json(await increment({ pool, redis }, userId, request.body?.actionToken, request.ip, agent));
  });
  app.use(answerFailure);
  return app;
}

const pool = new pg.Pool({ max: POOL, min: 10 });
// Commands of one turn of the event loop go out in one write: quicker, and a matter of one option.
const redis = new Redis(process.env.REDIS_SOCKET, { enableAutoPipelining: true });
await pool.query(readFileSync(new URL('schema.sql', import.meta.url), 'utf8'));
const http = createServer(routes({ pool, redis }));
await serveLive(http, { pool, redis });
// The bench ends a peer by closing its input.
process.stdin.on('end', () => process.exit(0)).resume();
http.listen(0, '127.0.0.1', () => console.log(`port ${http.address().port}`));
