/** Events of a run in words: one line each, with a leading word to scan for. No colour, no state, no clock. */
import type { StageResult } from '../../store/records.js';
import { describeMeasured } from '../../stages/metrics.js';
import { unreachable } from '../../common/errors.js';
import type { EntryCounts, RunEvent, StopReason, RunSummary } from '../events.js';
import type { TimeLeft } from '../sweep-clock.js';

export interface EventLine {
  word:
    | 'sweep'
    | 'hit'
    | 'wait'
    | 'retry'
    | 'start'
    | 'run'
    | 'epoch'
    | 'test'
    | 'warning'
    | 'hint'
    | 'done'
    | 'failed'
    | 'blocked'
    | 'stop'
    | 'stopped'
    | 'end';
  text: string;
}

/** An event in words. What follows the first line break belongs to it: the end of a dead worker's log, failures. */
export function describeEvent(event: RunEvent): EventLine {
  switch (event.type) {
    case 'plan-started': {
      const left = Object.values(event.toRun).reduce((sum, count) => sum + count, 0);
      const before = event.hits === 0 ? '' : `${event.hits} done before, `;
      const at = left > 1 && event.jobs > 1 ? `, ${event.jobs} at once` : '';
      return { word: 'sweep', text: `${event.name}: ${before}${countEntries(event.toRun)}${at} → ${event.folder}` };
    }
    case 'plan-extended':
      return { word: 'sweep', text: `${event.why}: ${countEntries(event.toRun)}` };
    case 'stage-hit':
      return { word: 'hit', text: `${event.stage.name}: ${event.why}` };
    case 'stage-elsewhere':
      return {
        word: 'wait',
        text: `${event.stage.name}: another sweep runs it${event.host ? `, on ${event.host}` : ''}`,
      };
    case 'stage-found':
      return { word: 'hit', text: `${event.stage.name}: ${event.why}` };
    case 'stage-started': {
      const attempt = event.attempt === 1 ? '' : `, attempt ${event.attempt}`;
      return { word: 'start', text: `${event.stage.name}: ${event.why}${attempt}` };
    }
    case 'stage-training': {
      const from = event.fromStep === 0 ? '' : `, from step ${event.fromStep}`;
      return { word: 'run', text: `${event.stage.name}: ${event.steps} steps${from}, on ${event.device}` };
    }
    case 'stage-progress': {
      const of = event.epochs === null ? '' : `/${event.epochs}`;
      const steps = `step ${event.step}/${event.steps}`;
      return {
        word: 'epoch',
        text: [`${event.stage.name}: epoch ${event.epoch + 1}${of}`, steps, ...rates(event)].join(', '),
      };
    }
    case 'stage-evaluated':
      return {
        word: 'test',
        text:
          `${event.stage.name}: ${describeMeasured(event.stage.kind, event.metrics)} after epoch ${event.epoch}` +
          (event.split === undefined ? '' : ` on the ${event.split} images`),
      };
    case 'advice':
      return { word: 'hint', text: event.message };
    case 'stage-warning':
      return { word: 'warning', text: `${event.stage.name}: ${event.message}` };
    case 'stage-done':
      return {
        word: 'done',
        text: `${event.stage.name}: ${describeResult(event.result)} in ${duration(event.seconds)}`,
      };
    case 'stage-retry': {
      const again = `attempt ${event.attempts + 1} of ${event.maxAttempts} in ${duration(event.pause)}`;
      return { word: 'retry', text: `${event.stage.name}: ${event.cause}, ${again}: ${event.reason}` };
    }
    case 'stage-failed': {
      const after = event.attempts > 1 ? ` after ${event.attempts} attempts` : '';
      return {
        word: 'failed',
        text: `${event.stage.name}: ${event.cause}${after}: ${event.reason}\nlog: ${event.log}`,
      };
    }
    case 'stage-blocked':
      return { word: 'blocked', text: `${event.stage.name}: not run, since ${event.by.name} failed` };
    case 'stage-interrupted':
      return { word: 'stopped', text: `${event.stage.name}: after ${duration(event.seconds)}; run again to continue` };
    case 'run-stopping': {
      return { word: 'stop', text: describeStop(event.why, event.workers) };
    }
    case 'run-ended':
      return { word: 'end', text: describeSummary(event.summary) };
  }
}

function describeStop(why: StopReason, workers: number): string {
  const who = workers === 1 ? 'one worker' : `${workers} workers`;
  switch (why) {
    case 'asked':
      return `waiting for ${who} to keep a checkpoint; Ctrl-C again to kill`;
    case 'no-new':
      return `a stage failed: nothing new starts (--on-failure no-new), ${who} may end`;
    case 'kill':
      return `a stage failed: ${who} killed (--on-failure kill)`;
    case 'disk-full':
      return `the disk is full: nothing new starts, ${who} asked to stop`;
    case 'crash':
      return `the results folder cannot be written: nothing new starts, ${who} asked to stop`;
    default:
      return unreachable(why);
  }
}

/** `loss 0.9123` and `310 images/s`. */
export function rates({ loss, imagesPerSecond }: { loss: number; imagesPerSecond: number }): [string, string] {
  return [`loss ${loss.toFixed(4)}`, `${imagesPerSecond.toPrecision(3)} images/s`];
}

function describeResult(result: StageResult): string {
  if (result.kind === 'pretrain')
    return `loss ${result.loss.toFixed(4)} (a zero prediction: ${result.zeroLoss.toFixed(4)})`;
  return describeMeasured(result.kind, result);
}

function countEntries(counts: EntryCounts): string {
  const parts = Object.entries(counts).map(([entry, count]) => `${count} ${entry}`);
  return parts.length === 0 ? 'nothing to run' : `${parts.join(', ')} to run`;
}

function describeSummary(summary: RunSummary): string {
  const { done, hits, failed, blocked, interrupted, pending, open, unneeded, left, seconds } = summary;
  const counts = Object.entries({
    done,
    'done before': hits,
    failed: failed.length,
    blocked: blocked.length,
    stopped: interrupted.length,
    'not begun': pending,
    [`not needed (${summary.decidedBy ?? ''})`]: unneeded,
    [`undecided (${summary.waitsFor ?? ''})`]: open,
    'left without a result': left,
  });
  const parts = counts.filter(([, count]) => count > 0).map(([what, count]) => `${count} ${what}`);
  const failures = failed.map(
    ({ stage, cause, reason, log }) => `\n${stage.name}: ${cause}: ${reason.split('\n')[0]!} (log: ${log})`,
  );
  return `${parts.join(', ')}, in ${duration(seconds)}${failures.join('')}`;
}

/** `42 s`, `3 min 05 s`, `2 h 10 min` or `1 d 4 h`. */
export function duration(seconds: number): string {
  const units = [
    { size: 86400, name: 'd', below: { size: 3600, name: 'h', digits: 1 } },
    { size: 3600, name: 'h', below: { size: 60, name: 'min', digits: 2 } },
    { size: 60, name: 'min', below: { size: 1, name: 's', digits: 2 } },
  ];
  const whole = Math.round(seconds);
  for (const { size, name, below } of units) {
    if (whole < size) continue;
    const rest = Math.floor((whole % size) / below.size);
    return `${Math.floor(whole / size)} ${name} ${String(rest).padStart(below.digits, '0')} ${below.name}`;
  }
  return `${whole} s`;
}

/** `about 3 min 05 s left`; `more than …` if the time of some stages is not known; empty if no time is known. */
export function describeLeft(left: TimeLeft | null): string {
  return left === null ? '' : `${left.atLeast ? 'more than' : 'about'} ${duration(left.seconds)} left`;
}
