// Types of client.js. What each promises is said there.

/** One line of a board; `rank` counts from 1, `lastUpdated` is ISO 8601 in UTC. */
export interface Row {
  readonly rank: number;
  readonly userId: string;
  readonly username: string;
  readonly score: number;
  readonly lastUpdated: string;
  readonly country?: string | null;
  readonly avatar?: string | null;
}

/** A board at one moment: its rows in order of rank. A polled one has no epoch. */
export interface Board {
  readonly epoch: string | null;
  readonly version: number;
  readonly rows: readonly Row[];
  readonly totalUsers: number;
  readonly changedAt: string | null;
  /** On the board of a period: when it ends. */
  readonly resetsAt?: string;
}

export type Verdict = "applied" | "ignored" | "behind";

export interface Applied {
  readonly verdict: Verdict;
  readonly board: Board;
}

/** `retryAt` is in milliseconds of the world's now(). */
export type Status =
  | { readonly state: "connecting" | "live" | "polling" | "closed" }
  | { readonly state: "reconnecting"; readonly retryAt: number | null }
  | { readonly state: "offline"; readonly retryAt: number | null };

/** The right to score once; to be handed back exactly as it came. */
export interface ActionToken {
  readonly userId: string;
  readonly timestamp: number;
  readonly nonce: string;
  readonly signature: string;
}

export interface IssuedToken {
  readonly actionToken: ActionToken;
  readonly expiresAt: number;
  readonly expiresIn: number;
}

/** What an increment did; it is on disk. Ranks are null when the board could not be asked. */
export interface Score {
  readonly newScore: number;
  readonly previousRank: number | null;
  readonly newRank: number | null;
  readonly rankChanged: boolean;
  readonly repeated: boolean;
}

export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string | null;
  readonly expiresIn: number | undefined;
  readonly userId?: string;
  readonly username?: string;
}

export interface Retry {
  readonly actionToken: ActionToken;
  readonly idempotencyKey: string;
}

export class ScoreboardError extends Error {
  constructor(code: string, said?: string, more?: { retryAfter?: number | null; retry?: Retry | null; status?: number | null });
  readonly name: "ScoreboardError";
  readonly code: string;
  readonly advice: string;
  /** Seconds, or null. */
  readonly retryAfter: number | null;
  readonly retry: Retry | null;
  /** Of REST, or null. */
  readonly status: number | null;
}

export interface Socket {
  send(text: string): void;
  close(): void;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** What the client asks of the world. */
export interface World {
  openSocket(
    url: string,
    on: { opened(): void; received(text: string): void; closed(why?: { code?: number; reason?: string }): void },
  ): Socket;
  request(wish: {
    method: string;
    url: string;
    headers: Record<string, string>;
    body: string | undefined;
    within: number;
  }): Promise<Answer>;
  setTimer(run: () => void, ms: number): unknown;
  clearTimer(id: unknown): void;
  now(): number;
  chance(): number;
  key(): string;
}

export interface Options {
  /** An access token, or a function that fetches one; without it one watches only. */
  token?: string | (() => Promise<string>) | null;
  /** With it an access token that is no longer good is renewed. */
  refreshToken?: string | null;
  /** At most one board in so many milliseconds; 500 unless given, 0 gives each at once. */
  debounceMs?: number;
  onStatus?(status: Status): void;
  /** Hears of what nobody waits for; otherwise the console does. */
  onError?(error: ScoreboardError): void;
  /** Hears of new tokens, to keep them. */
  onTokens?(tokens: Tokens): void;
  world?: World;
}

export interface WatchOptions {
  debounceMs?: number;
  /** Of around_me: rows on either side, 1 to 25; 5 unless given. */
  radius?: number;
  onNews?(event: string, data: Readonly<Record<string, unknown>>): void;
  onError?(error: ScoreboardError): void;
  /** The client was closed. */
  onEnd?(): void;
}

export interface CommandOptions {
  /** Milliseconds after which it is rejected with NO_ANSWER; 30,000 unless given. */
  within?: number;
}

export interface IncrementOptions extends CommandOptions {
  idempotencyKey?: string;
}

export class Scoreboard {
  constructor(url: string | URL, options?: Options);
  start(): void;
  close(): void;
  readonly status: Status;
  watch(channel: string, onBoard: ((board: Board) => void) | null, options?: WatchOptions): () => void;
  views(channel: string, options?: Pick<WatchOptions, "debounceMs" | "radius" | "onNews">): AsyncGenerator<Board, void, void>;
  actionToken(options?: CommandOptions): Promise<IssuedToken>;
  increment(actionToken: ActionToken, options?: IncrementOptions): Promise<Score>;
  score(options?: IncrementOptions): Promise<Score>;
  signIn(username: string, password: string): Promise<Tokens>;
  register(username: string, email: string, password: string): Promise<Tokens>;
  refresh(): Promise<string>;
  retryNow(): void;
  setVisible(visible: boolean): void;
}

export function connect(url: string | URL, options?: Options): Scoreboard;

export const POLL_EVERY_MS: number;
export const EMPTY_BOARD: Board;
export const browserWorld: World;
export function applyFull(board: Board, data: Readonly<Record<string, unknown>>): Applied;
export function applyDiff(board: Board, data: Readonly<Record<string, unknown>>): Applied;
export function applyPoll(board: Board, document: unknown): Applied;
export function checksumText(rows: readonly Row[]): string;
export function crc32(text: string): number;
export function retryDelay(attempt: number, polling: boolean, chance: number): number;
