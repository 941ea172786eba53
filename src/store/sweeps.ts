/**
 * The sweeps that work in a results folder: a file for each, from before it reads the folder until it ends. A plan that
 * a sweep works on is never removed. Claims do not show that: a sweep that waits between two stages has none.
 */
import { randomUUID } from 'node:crypto';
import { lstatSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { isGone, ownerSchema, thisProcess } from './claims.js';
import { FILE_KINDS, openJson, writeJson } from './files.js';
import type { SweepPaths } from './layout.js';
import { MEBIBYTE, namesIn } from './open.js';

const sweepSchema = ownerSchema
  .extend({
    /** The identity of its plan. */
    plan: z.string(),
  })
  .register(FILE_KINDS, { mostBytes: MEBIBYTE });

/** A sweep at work. */
export interface WorkingSweep {
  readonly path: string;
  /** null: its file is damaged, so it may work on any plan. */
  readonly owner: z.output<typeof sweepSchema> | null;
}

const RENEW_EVERY_MS = 60_000;
/** Of a file that is renewed every minute. A day is more than clocks of hosts differ by. */
const DEAD_AFTER_MS = 24 * 3600_000;

/**
 * Shows that this process works on a plan, until it is ended. It must be called before the plan is kept: a process that
 * removes the plan then either finds this file, or has removed the plan before it is written again.
 */
export function announceSweep({ sweeps }: Pick<SweepPaths, 'sweeps'>, plan: string): { end(): void } {
  const id = randomUUID();
  const path = join(sweeps, `${id}.json`);
  for (const gone of readSweeps({ sweeps }).filter((each) => each.gone)) rmSync(gone.path, { force: true });
  writeJson(path, { ...thisProcess(id), plan });
  const renewal = setInterval(() => {
    renew(path);
  }, RENEW_EVERY_MS);
  renewal.unref();
  return {
    end: () => {
      clearInterval(renewal);
      rmSync(path, { force: true });
    },
  };
}

function renew(path: string): void {
  try {
    utimesSync(path, new Date(), new Date());
  } catch {
    // A full or absent disk: the stages' own files show it.
  }
}

/**
 * The sweeps that run. A sweep counts as ended if its process is known to be gone, or if its file was not renewed for a
 * day: a sweep that was killed on another host cannot be distinguished from one that runs.
 */
export function workingSweeps(paths: Pick<SweepPaths, 'sweeps'>): WorkingSweep[] {
  return readSweeps(paths).filter(({ gone }) => !gone);
}

function readSweeps({ sweeps }: Pick<SweepPaths, 'sweeps'>): (WorkingSweep & { gone: boolean })[] {
  return namesIn(sweeps)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => {
      const path = join(sweeps, name);
      const changed = lstatSync(path, { throwIfNoEntry: false })?.mtimeMs;
      if (changed === undefined) return []; // it has just ended
      const owner = readOwner(path);
      const gone = (owner !== null && isGone(owner)) || Date.now() - changed > DEAD_AFTER_MS;
      return [{ path, owner, gone }];
    });
}

function readOwner(path: string): WorkingSweep['owner'] {
  const stored = openJson(path, sweepSchema);
  return stored.kind === 'present' ? stored.value : null;
}
