/**
 * Downloads one large file over HTTP(S). An interrupted transfer continues from its last byte. Bytes are stored as they
 * are sent. `fetch` does not do this: it undoes any content encoding that a server declares for a `.gz`.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { get as httpGet, type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { get as httpsGet } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, UsageError } from '../common/errors.js';

export interface DownloadOptions {
  /** Called for every piece received; `total` is null if the server does not send it. */
  readonly onReceived?: (received: number, total: number | null) => void;
  /** Called before each new attempt. */
  readonly onRetry?: (reason: string, milliseconds: number) => void;
  /** The pauses between attempts, in milliseconds. An attempt that got further than any before it begins them anew. */
  readonly pauses?: readonly number[];
  /** A connection that is silent for so many milliseconds counts as lost. */
  readonly idleTimeout?: number;
  /** A larger file is refused, and the received part is removed. */
  readonly mostBytes: number;
  /** A connection is given up that brings less than `bytes` in every `milliseconds`. */
  readonly lowestRate?: { readonly bytes: number; readonly milliseconds: number };
}

const PAUSES = [1000, 2000, 4000, 8000, 16_000];
const IDLE_TIMEOUT = 60_000;
const MOST_REDIRECTS = 5;
/** 1 KiB/s over a minute, as `curl --speed-limit 1024 --speed-time 60`. */
const LOWEST_RATE = { bytes: 60 * 1024, milliseconds: 60_000 };

/** Failures that a later attempt may not meet. */
class TransientError extends Error {}

/** A transfer slower than {@link DownloadOptions.lowestRate}. Each attempt gets further, which begins no new series. */
class SlowError extends TransientError {}

/**
 * Downloads `url` into `file`, which may hold the beginning of it already or all of it, and checks its MD5.
 *
 * @throws UsageError if the file cannot be downloaded, is not the expected file, or cannot be stored.
 */
export async function download(url: string, md5: string, file: string, options: DownloadOptions): Promise<void> {
  const resumed = (await sizeOf(file)) > 0;
  if (resumed && (await md5Of(file)) === md5) return;
  await transferPersistently(url, file, options);
  if ((await md5Of(file)) === md5) return;

  // The part from an earlier run may belong to another version of the file.
  await rm(file, { force: true });
  if (resumed) {
    await download(url, md5, file, options);
    return;
  }
  throw new UsageError(
    `${url}: the file received does not have the MD5 ${md5}: it was altered on its way or at its source, and has been ` +
      'removed; try again, or from another network',
  );
}

async function transferPersistently(url: string, file: string, options: DownloadOptions): Promise<void> {
  const { pauses = PAUSES, onRetry } = options;
  let furthest = await sizeOf(file);
  for (let failures = 0; ; failures++) {
    try {
      await transfer(url, file, options);
      return;
    } catch (error) {
      if (!(error instanceof TransientError)) throw error;
      const size = await sizeOf(file);
      if (size > furthest) {
        furthest = size;
        if (!(error instanceof SlowError)) failures = 0;
      }
      const pause = pauses[failures];
      if (pause === undefined) {
        throw new UsageError(
          `${url}: ${error.message}, in ${failures + 1} attempts in a row; check the network and run the ` +
            `same command again, which continues the transfer, or copy the file to ${file} if you have it`,
        );
      }
      onRetry?.(error.message, pause);
      await sleep(pause);
    }
  }
}

/** One attempt: requests the missing part of the file, and appends it. */
async function transfer(url: string, file: string, options: DownloadOptions): Promise<void> {
  const { onReceived, idleTimeout = IDLE_TIMEOUT, mostBytes, lowestRate = LOWEST_RATE } = options;
  const have = await sizeOf(file);
  const response = await request(url, have > 0 ? { range: `bytes=${have}-` } : {}, idleTimeout);
  const status = response.statusCode ?? 0;
  if (status !== 200 && status !== 206) response.destroy();

  const appending = status === 206;
  // The server has nothing after the stored part: the part is complete, or not the beginning of this file.
  if (status === 416 && totalOf(response.headers) === have) return;
  const otherPart = appending && response.headers['content-range']?.startsWith(`bytes ${have}-`) !== true;
  if (have > 0 && (status === 416 || otherPart)) {
    response.destroy();
    await rm(file, { force: true });
    await transfer(url, file, options);
    return;
  }
  if (status === 408 || status === 429 || status >= 500) throw new TransientError(`the server answers ${status}`);
  if (status !== 200 && status !== 206) {
    throw new UsageError(
      `${url}: the server answers ${status}: the file has moved or is not public; get it by other means`,
    );
  }

  const total = appending ? totalOf(response.headers) : Number(response.headers['content-length'] ?? NaN);
  let received = appending ? have : 0;
  const window = { since: performance.now(), received };
  const counted = async function* (pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    if (total > mostBytes) throw tooLarge(url, mostBytes);
    for await (const piece of pieces) {
      received += piece.length;
      if (received > mostBytes) throw tooLarge(url, mostBytes);
      const now = performance.now();
      if (now - window.since >= lowestRate.milliseconds) {
        if (received - window.received < lowestRate.bytes) throw new SlowError(describeRate(lowestRate));
        Object.assign(window, { since: now, received });
      }
      onReceived?.(received, Number.isNaN(total) ? null : total);
      yield piece;
    }
  };
  try {
    await pipeline(response, counted, createWriteStream(file, { flags: appending ? 'a' : 'w' }));
  } catch (error) {
    if (error instanceof UsageError) await rm(file, { force: true });
    if (error instanceof UsageError || error instanceof TransientError) throw error;
    const full = storageError(error, file);
    if (full !== undefined) throw full;
    throw new TransientError(`the connection was lost (${messageOf(error)})`);
  }
}

const tooLarge = (url: string, mostBytes: number): UsageError =>
  new UsageError(
    `${url}: the server sends more than ${Math.round(mostBytes / (1 << 20))} MiB, so it is another file, and what was ` +
      'received has been removed; check the address, or get the file by other means',
  );

function describeRate({ bytes, milliseconds }: { bytes: number; milliseconds: number }): string {
  return `fewer than ${bytes} bytes arrived in ${milliseconds / 1000} s`;
}

/** The size of the whole file, from the end of `Content-Range: bytes 5-9/10`; NaN if it is not sent. */
function totalOf(headers: IncomingHttpHeaders): number {
  return Number(/\/(\d+)$/.exec(headers['content-range'] ?? '')?.[1] ?? NaN);
}

async function request(url: string, headers: OutgoingHttpHeaders, idleTimeout: number): Promise<IncomingMessage> {
  let target = webAddress(url);
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    const response = await requestOnce(target, headers, idleTimeout);
    const { location } = response.headers;
    const redirected = [301, 302, 303, 307, 308].includes(response.statusCode ?? 0);
    if (!redirected || location === undefined) return response;
    response.destroy();
    target = webAddress(location, target);
  }
  throw new UsageError(`${url}: redirected more than ${MOST_REDIRECTS} times; get the file by other means`);
}

/** @throws UsageError if it is no web address: a redirect must not make this process read a file of this machine. */
function webAddress(text: string, base?: URL): URL {
  const target = URL.canParse(text, base?.href) ? new URL(text, base) : undefined;
  if (target?.protocol === 'http:' || target?.protocol === 'https:') return target;
  const by = base === undefined ? '' : `${base.href} redirects to `;
  throw new UsageError(`${by}${text.slice(0, 200)}, which is no http or https address; get the file by other means`);
}

function requestOnce(url: URL, headers: OutgoingHttpHeaders, idleTimeout: number): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const get = url.protocol === 'https:' ? httpsGet : httpGet;
    // No agent: a kept-alive connection would hold the process open after the last byte.
    const outgoing = get(url, { headers, agent: false }, (response) => {
      clearTimeout(late);
      resolve(response);
    });
    // A server may send its answer's head byte by byte, and never be silent.
    const late = setTimeout(() => outgoing.destroy(new Error(`no answer in ${idleTimeout / 1000} s`)), idleTimeout);
    outgoing.setTimeout(idleTimeout, () => outgoing.destroy(new Error(`silent for ${idleTimeout / 1000} s`)));
    outgoing.on('error', (error) => {
      clearTimeout(late);
      reject(new TransientError(`no connection (${messageOf(error)})`));
    });
  });
}

/** The explanation of an error of the disk rather than of the network. */
export function storageError(error: unknown, path: string): UsageError | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new UsageError(
        `${path}: the disk is full; make room, or choose another folder with --destination or VITMIM_DATA`,
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOTDIR':
    case 'EISDIR':
    case 'EEXIST':
      return new UsageError(
        `${path}: cannot be written (${code}); choose another folder with --destination or VITMIM_DATA`,
      );
    default:
      return undefined;
  }
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch {
    return 0;
  }
}

async function md5Of(file: string): Promise<string> {
  const hash = createHash('md5');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
