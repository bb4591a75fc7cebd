// Socket.IO, as its documentation shows a broadcast: everybody in a room, encoded once by its adapter.

import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { next, serve } from './board.js';

const http = createServer();
const io = new Server(http, { transports: ['websocket'], pingInterval: 600_000 }); // pings are put off for all

io.on('connection', (socket) => {
  socket.join('leaderboard');
  const { event, data } = next();
  socket.emit(event, data);
});

serve(http, () => {
  const { event, data } = next();
  io.to('leaderboard').emit(event, data);
});
