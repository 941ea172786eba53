/**
 * Who may work on a stage: the owner of its highest-numbered claim file. Claims make sure that two sweeps on one
 * results folder, on one host or on several that share a file system, never run a stage twice.
 *
 * A claim is `claim-<n>.json` in the stage's folder, created exclusively. Its owner renews the file's time of change;
 * who finds the owner dead creates `claim-<n+1>.json`, again exclusively, so that of several heirs one wins. No file is
 * ever replaced, so no process can remove the claim of a living owner by mistake; a deposed owner that wakes up sees
 * the higher number.
 */
import { randomUUID } from 'node:crypto';
import { linkSync, lstatSync, mkdirSync, readlinkSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { errorCode } from '../common/errors.js';
import { FILE_KINDS, openJson } from './files.js';
import type { StagePaths } from './layout.js';
import { DamagedFileError, MEBIBYTE, namesIn } from './open.js';

export const ownerSchema = z
  .strictObject({
    /** Unique to the claim. */
    id: z.string(),
    host: z.string(),
    /** The scope of the process id: this host, or one container of it. */
    pids: z.string(),
    pid: z.int().positive(),
    since: z.string(),
  })
  .register(FILE_KINDS, { mostBytes: MEBIBYTE });
export type ClaimOwner = z.output<typeof ownerSchema>;

/** A stage that this process may work on. */
export interface Claim {
  readonly id: string;
  /** Shows others that the owner lives. Returns false if another process has taken the stage over. */
  renew(): boolean;
  /** Lets go of it. */
  release(): void;
}

/** How often an owner renews its claims, and after how long without it the owner counts as dead. */
export const RENEW_EVERY_MS = 10_000;
const DEAD_AFTER_MS = 60_000;

/** Claims stages for this process and remembers how those of others have looked. */
export class Claimant {
  /** When each claim of another was last seen to change, by a clock that never jumps. */
  readonly #seen = new Map<string, { changed: number; at: number }>();
  readonly #now: () => number;

  /** @param now Milliseconds on a steady clock. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Claims a stage.
   *
   * @returns The claim, or who holds the stage (null: an owner whose claim cannot be read).
   * @throws if the stage's folder cannot be written.
   */
  claim({ folder }: StagePaths): { claim: Claim } | { holder: ClaimOwner | null } {
    mkdirSync(folder, { recursive: true });
    for (;;) {
      const current = latest(folder);
      if (current !== undefined && this.#lives(current)) return { holder: current.owner };
      const number = (current?.number ?? 0) + 1;
      if (number > LARGEST) throw new DamagedFileError(current!.path, 'has a number that no sweep gives', 'remove it');
      const owner = thisProcess(randomUUID());
      if (!createExclusively(pathOf(folder, number), `${JSON.stringify(owner)}\n`, owner.id)) continue;
      for (const older of numbers(folder)) if (older < number) rmSync(pathOf(folder, older), { force: true });
      return { claim: ownClaim(folder, number, owner.id) };
    }
  }

  #lives({ path, owner }: Latest): boolean {
    if (owner !== null && owner.host === hostname() && owner.pids === PIDS && !processExists(owner.pid)) return false;
    // Not the difference to this host's clock: clocks of hosts differ, and jump.
    const changed = changeTime(path);
    if (changed === undefined) return true; // released just now; the next look finds nothing
    const before = this.#seen.get(path);
    if (before?.changed !== changed) {
      this.#seen.set(path, { changed, at: this.#now() });
      return true;
    }
    return this.#now() - before.at < DEAD_AFTER_MS;
  }
}

/** Whether a claim is still the one that counts. Its holder checks this before it writes into the stage's folder. */
export function holdsClaim({ folder }: Pick<StagePaths, 'folder'>, id: string): boolean {
  return latest(folder)?.owner?.id === id;
}

/** The holder of a stage, alive or not; null if no process holds it. */
export function claimOwner({ folder }: Pick<StagePaths, 'folder'>): ClaimOwner | null {
  return latest(folder)?.owner ?? null;
}

/** This process as the owner of something with that identity. */
export function thisProcess(id: string): ClaimOwner {
  return { id, host: hostname(), pids: PIDS, pid: process.pid, since: new Date().toISOString() };
}

/** Whether the owner's process is known to be gone: only processes of this host are checked. */
export function isGone({ host, pids, pid }: Pick<ClaimOwner, 'host' | 'pids' | 'pid'>): boolean {
  return host === hostname() && pids === PIDS && !processExists(pid);
}

interface Latest {
  number: number;
  path: string;
  /** null if it cannot be read. */
  owner: ClaimOwner | null;
}

const NAME = /^claim-(\d+)\.json$/;
const pathOf = (folder: string, number: number): string => join(folder, `claim-${number}.json`);

/** No stage is ever claimed so often. A larger number was not written by vitmim, and has no successor. */
const LARGEST = 1_000_000_000;

function numbers(folder: string): number[] {
  return namesIn(folder).flatMap((name) => {
    const number = Number(NAME.exec(name)?.[1] ?? NaN);
    return number <= LARGEST ? [number] : [];
  });
}

function latest(folder: string): Latest | undefined {
  const number = Math.max(0, ...numbers(folder));
  if (number === 0) return undefined;
  const path = pathOf(folder, number);
  const stored = openJson(path, ownerSchema);
  return { number, path, owner: stored.kind === 'present' ? stored.value : null };
}

/** Creates a file with its content at once, or returns false if it exists. */
function createExclusively(path: string, content: string, unique: string): boolean {
  const temporary = `${path}.${unique}.tmp`;
  writeFileSync(temporary, content);
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    // A file system without hard links: for an instant the claim has no content, and its owner is unknown to others.
    return writeExclusively(path, content);
  } finally {
    rmSync(temporary, { force: true });
  }
}

function writeExclusively(path: string, content: string): boolean {
  try {
    writeFileSync(path, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function ownClaim(folder: string, number: number, id: string): Claim {
  const path = pathOf(folder, number);
  return {
    id,
    renew: () => {
      if (!holdsClaim({ folder }, id)) return false;
      const now = new Date();
      utimesSync(path, now, now);
      return true;
    },
    release: () => {
      rmSync(path, { force: true });
    },
  };
}

function changeTime(path: string): number | undefined {
  try {
    return lstatSync(path).mtimeMs;
  } catch {
    return undefined;
  }
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) !== 'ESRCH'; // EPERM: there is one, of another user
  }
}

/** Linux has process ids per container; elsewhere a host has one space of them. */
const PIDS = ((): string => {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
})();
