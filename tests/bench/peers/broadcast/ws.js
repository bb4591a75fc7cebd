// `ws`, as its documentation shows a broadcast. The text becomes bytes once, not once a client; that is quicker.

import { createServer } from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';
import { next, serve } from './board.js';

const http = createServer();
const server = new WebSocketServer({ server: http });
const encoded = () => Buffer.from(JSON.stringify(next()));

server.on('connection', (client) => {
  client.on('error', console.error);
  client.send(encoded(), { binary: false });
});

serve(http, () => {
  const bytes = encoded();
  for (const client of server.clients) {
    if (client.readyState === WebSocket.OPEN) client.send(bytes, { binary: false });
  }
});
