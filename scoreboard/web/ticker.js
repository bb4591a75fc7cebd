// Numbers that count up to their new value instead of jumping. One frame loop serves all of them.

const COUNT_MS = 700;
const grouped = new Intl.NumberFormat("en");

export const asText = (number) => grouped.format(number);

export class Ticker {
  #counting = new Map();
  #shown = new WeakMap();
  #running = false;

  /** Shows the number at once, or counts up to it when `counted`. */
  show(element, number, { counted }) {
    const from = this.#shown.get(element);
    if (!counted || from === undefined || from === number) return this.#jump(element, number);
    this.#counting.set(element, { from, to: number, since: performance.now() });
    if (!this.#running) requestAnimationFrame((now) => this.#frame(now));
    this.#running = true;
  }

  #jump(element, number) {
    this.#counting.delete(element);
    this.#put(element, number);
  }

  #put(element, number) {
    this.#shown.set(element, number);
    const text = asText(number);
    if (element.textContent !== text) element.textContent = text;
  }

  #frame(now) {
    for (const [element, { from, to, since }] of this.#counting) {
      const part = Math.min(1, Math.max(0, (now - since) / COUNT_MS));
      const eased = 1 - (1 - part) ** 3;
      this.#put(element, part === 1 ? to : Math.round(from + (to - from) * eased));
      if (part === 1 || !element.isConnected) this.#counting.delete(element);
    }
    this.#running = this.#counting.size > 0;
    if (this.#running) requestAnimationFrame((next) => this.#frame(next));
  }
}
