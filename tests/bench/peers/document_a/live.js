// The live board: steps 16 and 17 of document A's flow.

import { Server } from 'socket.io';

const KEY = 'leaderboard:top10';
const TTL_S = 5;
// Document A fetches and broadcasts for every score. BROADCAST_MS holds it to one in so many milliseconds instead, as
// our own server's tick does.
const LEAST_MS = Number(process.env.BROADCAST_MS ?? 0);

async function top({ pool, redis }) {
  const cached = await redis.get(KEY);
  if (cached) return JSON.parse(cached);
  const { rows } = await pool.query({
    name: 'top',
    text: 'SELECT user_id, username, score FROM users WHERE NOT is_banned ORDER BY score DESC, user_id LIMIT 10',
  });
  const board = rows.map((row, index) => ({
    rank: index + 1, userId: row.user_id, username: row.username, score: Number(row.score),
  }));
  await redis.setex(KEY, TTL_S, JSON.stringify(board));
  return board;
}

export async function serveLive(http, stores) {
  const io = new Server(http, { transports: ['websocket', 'polling'], pingInterval: 25_000, pingTimeout: 30_000 });
  io.on('connection', async (socket) => {
    socket.join('leaderboard');
    socket.emit('leaderboard_update', { type: 'full', data: await top(stores), timestamp: Date.now() });
  });

  let waiting = false;
  const broadcast = async () => {
    waiting = false;
    const data = await top(stores);
    io.to('leaderboard').emit('leaderboard_update', { type: 'full', data, timestamp: Date.now() });
  };
  const subscriber = stores.redis.duplicate();
  await subscriber.subscribe('score_update');
  subscriber.on('message', () => {
    if (!LEAST_MS) return void broadcast().catch(console.error);
    if (waiting) return;
    waiting = true;
    setTimeout(() => broadcast().catch(console.error), LEAST_MS);
  });
}
