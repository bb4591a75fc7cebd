// A client of Socket.IO that does what it is told: a line of JSON in for each thing to do, a line out for each that happens.

import { createInterface } from 'node:readline';
import { io } from 'socket.io-client';

let socket;
const say = (what, fields = {}) => console.log(JSON.stringify({ what, ...fields }));
const transport = () => socket.io.engine?.transport?.name;

const verbs = {
  open({ url, options }) {
    socket = io(url, { forceNew: true, ...options });
    socket.on('connect', () => say('connect', { transport: transport(), recovered: socket.recovered }));
    socket.on('connect_error', (error) => say('connect_error', { message: error.message, data: error.data ?? null }));
    socket.on('disconnect', (reason) => say('disconnect', { reason }));
    socket.onAny((name, ...args) => say('event', { name, args, transport: transport() }));
    socket.io.on('open', () => socket.io.engine.on('upgrade', ({ name }) => say('upgrade', { transport: name })));
    socket.io.on('ping', () => say('ping'));
    socket.io.on('reconnect', (attempt) => say('reconnect', { attempt }));
  },
  emit({ name, args = [] }) {
    socket.emit(name, ...args);
  },
  ask({ name, args = [] }) {
    socket.timeout(10_000).emit(name, ...args, (error, answer) => say('answer', { name, error: Boolean(error), answer }));
  },
  auth({ auth }) {
    socket.auth = auth;
    socket.connect();
  },
  close() {
    socket.disconnect();
  },
};

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const { verb, ...fields } = JSON.parse(line);
    verbs[verb](fields);
  })
  .on('close', () => process.exit(0));
