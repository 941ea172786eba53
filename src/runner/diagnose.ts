/** The cause of a worker's end without a report, from its exit, its log and the counters of the kernel. */
import { readFileSync } from 'node:fs';
import type { FailureCause } from '../common/errors.js';
import { tailOf } from '../store/open.js';
import { describeEnd, type WorkerEnd } from './worker.js';

/** Begins the part of `log.txt` that belongs to one attempt. */
export const ATTEMPT_HEADER = '=== attempt ';
const LINES_KEPT = 10;

/** Messages of V8, the C++ library, CUDA and Vulkan about a failed allocation. */
const OUT_OF_MEMORY =
  /heap out of memory|Allocation failed|bad_alloc|CUDA_ERROR_OUT_OF_MEMORY|VK_ERROR_OUT_OF_(DEVICE|HOST)_MEMORY|Cannot allocate memory/;
const DISK_FULL = /ENOSPC|EDQUOT|No space left on device/;

/** Cause and description of an end without a result or a reason. */
export function causeOfEnd(
  end: WorkerEnd,
  log: string,
  killedForMemory: boolean,
): { cause: FailureCause; reason: string } {
  const own = ownLines(log);
  const text = own.join('\n');
  const reason = `the worker ended without a result (${describeEnd(end)})`;
  const tail = quote(own);
  if (end.kind === 'unstartable') return { cause: 'crash', reason: `${reason}${tail}` };
  if (end.kind === 'signal' && end.signal === 'SIGKILL' && killedForMemory) {
    const hint = 'use a smaller batchSize or fewer --jobs';
    return { cause: 'out-of-memory', reason: `${reason}: the kernel ran out of memory; ${hint}${tail}` };
  }
  if (OUT_OF_MEMORY.test(text)) return { cause: 'out-of-memory', reason: `${reason}: out of memory${tail}` };
  if (DISK_FULL.test(text)) return { cause: 'disk-full', reason: `${reason}: the disk is full${tail}` };
  return { cause: 'crash', reason: `${reason}${tail}` };
}

/** The last lines that the latest attempt left in the log, indented, or nothing. */
export function tailOfLog(log: string): string {
  return quote(ownLines(log));
}

/** More than the lines that are quoted. */
const MOST_LOG_BYTES = 1 << 20;

function ownLines(log: string): string[] {
  const text = tailOf(log, MOST_LOG_BYTES); // a log that cannot be read must not hide the failure
  const own = text.slice(text.lastIndexOf(ATTEMPT_HEADER)).split('\n').slice(1);
  return own.filter((line) => line.trim() !== '');
}

function quote(lines: readonly string[]): string {
  const last = lines.slice(-LINES_KEPT);
  return last.length === 0 ? '' : `; the end of its log:\n${last.map((line) => `  ${line}`).join('\n')}`;
}

/** How many processes of this control group Linux has killed for lack of memory; 0 if they are not counted. */
export function countKilledForMemory(events = '/sys/fs/cgroup/memory.events'): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync(events, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
