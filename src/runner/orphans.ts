/** Workers that outlived their sweep. They end by themselves, at the latest with their step; this makes sure of it. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StagePaths } from '../store/layout.js';
import { readState } from '../store/state.js';

const LOOK_EVERY_MS = 20;

/**
 * Kills the worker that the stage's last attempt has left running on this host, and waits until it is gone. Needs Linux
 * to recognise it; elsewhere, and on other hosts, a worker whose claim was taken over writes nothing any more.
 */
export async function endOrphan(paths: StagePaths): Promise<void> {
  const pid = lastWorker(paths);
  if (pid === null) return;
  while (isWorkerOf(pid, paths)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      return; // it has just gone
    }
    await sleep(LOOK_EVERY_MS);
  }
}

function lastWorker(paths: StagePaths): number | null {
  const last = readState(paths);
  return last?.status === 'running' && last.host === hostname() ? last.pid : null;
}

function isWorkerOf(pid: number, { stage }: StagePaths): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(stage);
  } catch {
    return false;
  }
}
