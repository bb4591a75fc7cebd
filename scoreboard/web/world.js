// What the feed asks of the browser, and its timers by name. A test hands in a world of its own.

/**
 * openSocket(url, {opened, received, closed}) -> {send(text), close()}; after close() none of the three is called.
 * fetchJson(url, within) -> promise of the document; rejects on anything but a 200 with JSON within that many ms.
 */
export const browserWorld = {
  openSocket(url, on) {
    const socket = new WebSocket(url);
    socket.onopen = on.opened;
    socket.onmessage = (message) => on.received(message.data);
    socket.onclose = on.closed;
    return {
      send: (text) => socket.readyState === WebSocket.OPEN && socket.send(text),
      close() {
        socket.onopen = socket.onmessage = socket.onclose = null;
        socket.close();
      },
    };
  },

  async fetchJson(url, within) {
    // "no-cache" asks with the ETag, so that an unchanged board costs a 304 and a kept answer is never shown as new.
    const answer = await fetch(url, { cache: "no-cache", signal: AbortSignal.timeout(within) });
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    return answer.json();
  },

  setTimer: (run, ms) => setTimeout(run, ms),
  clearTimer: (id) => clearTimeout(id),
  now: () => Date.now(),
  chance: () => Math.random(),
};

/** Timers by name: setting one again moves it. */
export class Timers {
  #world;
  #running = new Map();

  constructor(world) {
    this.#world = world;
  }

  set(name, run, ms) {
    this.clear(name);
    const fire = () => {
      this.#running.delete(name);
      run();
    };
    this.#running.set(name, { id: this.#world.setTimer(fire, ms), dueAt: this.#world.now() + ms });
  }

  clear(name) {
    const timer = this.#running.get(name);
    if (timer) this.#world.clearTimer(timer.id);
    this.#running.delete(name);
  }

  clearAll() {
    for (const name of [...this.#running.keys()]) this.clear(name);
  }

  /** When it fires, in ms of world.now(); null when it is not set. */
  dueAt(name) {
    return this.#running.get(name)?.dueAt ?? null;
  }
}
