/**
 * How far a run is and how long it may still take, from its events only. Estimates come from stages of the
 * same evaluation, or from pre-trainings, that ended in this run; nothing is assumed of the others.
 */
import type { StageRef } from '../spec/describe.js';
import type { RunEvent } from './events.js';

export interface TimeLeft {
  seconds: number;
  /** True if an evaluation has no measured stage yet: the sweep will take longer than `seconds`. */
  atLeast: boolean;
}

export class SweepClock {
  /** Stages to run in this run, and those that ended in any way. */
  total = 0;
  settled = 0;
  #jobs = 1;
  readonly #waiting = new Map<string, number>();
  readonly #running = new Map<string, { entry: string; since: number }>();
  readonly #measured = new Map<string, { seconds: number; count: number }>();

  /** @param now Milliseconds on any steady clock. */
  observe(event: RunEvent, now: number): void {
    switch (event.type) {
      case 'plan-started':
        this.#jobs = event.jobs;
        this.#expect(event.toRun);
        break;
      case 'plan-extended':
        this.#expect(event.toRun);
        break;
      case 'stage-started':
        this.#leaveQueue(event.stage);
        this.#running.set(event.stage.id, { entry: event.stage.entry, since: now });
        break;
      case 'stage-done': {
        const { seconds, count } = this.#measured.get(event.stage.entry) ?? { seconds: 0, count: 0 };
        this.#measured.set(event.stage.entry, { seconds: seconds + event.seconds, count: count + 1 });
        this.#settle(event.stage);
        break;
      }
      case 'stage-retry':
        this.#running.delete(event.stage.id);
        this.#waiting.set(event.stage.entry, (this.#waiting.get(event.stage.entry) ?? 0) + 1);
        break;
      case 'stage-failed':
        // It may fail before it begins, if the disk is full.
        if (!this.#running.has(event.stage.id)) this.#leaveQueue(event.stage);
        this.#settle(event.stage);
        break;
      case 'stage-interrupted':
        this.#settle(event.stage);
        break;
      case 'stage-found':
      case 'stage-blocked':
        this.#leaveQueue(event.stage);
        this.settled += 1;
        break;
      default:
    }
  }

  #expect(toRun: Readonly<Record<string, number>>): void {
    for (const [entry, count] of Object.entries(toRun)) {
      this.#waiting.set(entry, (this.#waiting.get(entry) ?? 0) + count);
      this.total += count;
    }
  }

  #leaveQueue({ entry }: StageRef): void {
    this.#waiting.set(entry, (this.#waiting.get(entry) ?? 0) - 1);
  }

  #settle({ id }: StageRef): void {
    this.#running.delete(id);
    this.settled += 1;
  }

  /** Time left for the whole run, as if no worker ever had to wait; null while nothing is known. */
  left(now: number): TimeLeft | null {
    const tasks = [
      ...[...this.#waiting].filter(([, count]) => count > 0).map(([entry, count]) => ({ entry, count, elapsed: 0 })),
      ...[...this.#running.values()].map(({ entry, since }) => ({ entry, count: 1, elapsed: (now - since) / 1000 })),
    ];
    const known = tasks.flatMap(({ entry, count, elapsed }) => {
      const mean = this.#mean(entry);
      return mean === undefined ? [] : [{ count, rest: Math.max(0, mean - elapsed) }];
    });
    if (known.length === 0) return null;
    const work = known.reduce((sum, { count, rest }) => sum + count * rest, 0);
    const longest = Math.max(...known.map(({ rest }) => rest));
    return { seconds: Math.max(longest, work / this.#jobs), atLeast: known.length < tasks.length };
  }

  #mean(entry: string): number | undefined {
    const own = this.#measured.get(entry);
    return own === undefined ? undefined : own.seconds / own.count;
  }
}
