// Replaces a folder of built files by a new one: the old one is renamed aside, the new one is renamed into its place. So
// readers see the old or the new one whole, and an interrupted build changes nothing. A process that is killed between the
// two renames leaves no folder; `recover` brings it back. JavaScript, since build.js uses it before anything is compiled.
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** A folder beside `target` for a build of this process. */
export const freshFolder = (target) => `${target}-new-${process.pid}`;
const oldFolder = (target) => `${target}-old-${process.pid}`;

/** Another build has just put its folder there; or, on Windows, a program has a file open. */
const PASSING = new Set(['ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES', 'EBUSY']);
const ATTEMPTS = 50;
const PAUSE_MS = 100;

/**
 * Moves `fresh` into the place of `target`, which need not exist. Of two calls at once, the later one wins.
 *
 * @throws Error if it cannot be moved for five seconds; `target` is then unchanged.
 */
export async function replaceFolder(fresh, target) {
  const old = oldFolder(target);
  for (let attempt = 1; ; attempt++) {
    try {
      // Both renames run before any signal handler can.
      if (existsSync(target)) renameSync(target, old);
      renameSync(fresh, target);
      break;
    } catch (error) {
      if (existsSync(target)) remove(old);
      else if (existsSync(old)) renameSync(old, target);
      // Another build may have moved the old folder between the two calls.
      if (error.code === 'ENOENT' && existsSync(fresh)) continue;
      if (!PASSING.has(error.code)) throw error;
      if (attempt === ATTEMPTS) {
        throw new Error(`cannot replace ${target} (${error.code}); end the programs that use files in it`);
      }
      await wait(PAUSE_MS);
    }
  }
  remove(old);
}

/** Removes the folders of builds that were killed. If one of them had moved `target` aside, it is restored. */
export function recover(target) {
  const left = new RegExp(`^${basename(target)}-(new|old)-(\\d+)$`);
  for (const name of readdirSync(dirname(join(target)))) {
    const [, kind, pid] = left.exec(name) ?? [];
    if (pid === undefined || isAlive(Number(pid))) continue;
    const path = join(dirname(target), name);
    if (kind === 'old' && !existsSync(target)) renameSync(path, target);
    else remove(path);
  }
}

// On Windows, a virus scanner may hold a file for a moment.
const remove = (path) => rmSync(path, { recursive: true, force: true, maxRetries: 10 });

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
