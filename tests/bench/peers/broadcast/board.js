// What both broadcasting servers share: the board, and commands on standard input.
//
// The first line is the board event to broadcast, as JSON. Each further line, "COUNT EVERY_US", is answered by "done"
// after so many broadcasts. "port N" is said first of all. None at all means to collect garbage: what clients that came
// or went have left is not to be paid for by the deliveries that follow.

import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { event, data } = JSON.parse((await lines.next()).value);

// Another version and time in every broadcast, so each is encoded anew, as a real one is.
export function next() {
  data.to += 1;
  data.timestamp = new Date().toISOString();
  return { event, data };
}

async function repeat(broadcast, count, everyMs) {
  const began = performance.now();
  for (let number = 0; number < count; number += 1) {
    await sleep(Math.max(0, began + number * everyMs - performance.now()));
    broadcast();
  }
}

export function serve(http, broadcast) {
  http.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, async () => {
    console.log(`port ${http.address().port}`);
    for await (const line of lines) {
      const [count, everyUs] = line.split(' ').map(Number);
      if (count === 0) globalThis.gc();
      await repeat(broadcast, count, everyUs / 1000);
      console.log('done');
    }
    process.exit(0); // the bench has closed the input
  });
}
