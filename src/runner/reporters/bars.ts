/**
 * Progress bars for a terminal: one for the sweep, one below it for each stage that runs. What is worth keeping is
 * written above them as in `plain.ts`.
 */
import { MultiBar, type SingleBar } from 'cli-progress';
import { printable } from '../../common/printable.js';
import type { RunEvent } from '../events.js';
import { SweepClock } from '../sweep-clock.js';
import { renderLine } from './colour.js';
import { describeEvent, describeLeft, duration, rates } from './format.js';
import { terminalColumns, type OutputStream, type Reporter } from './reporter.js';
import { shorten, widthOf } from '../../common/wrap.js';

export interface BarsOptions {
  coloured?: boolean;
  /** Milliseconds on a steady clock. */
  now?: () => number;
}

/** Events that stay readable above the bars; all others only move them. */
const LOGGED: ReadonlySet<RunEvent['type']> = new Set([
  'advice',
  'plan-extended',
  'stage-warning',
  'stage-elsewhere',
  'stage-retry',
  'stage-done',
  'stage-failed',
  'stage-blocked',
  'stage-interrupted',
  'run-stopping',
] as const);

/** Ends a line that is written over a longer one. */
const ERASED = '\u001b[K\n';

interface StageBar {
  bar: SingleBar;
  /** When training began, and at which step. */
  since: number;
  fromStep: number;
}

export function barsReporter(stream: OutputStream, options: BarsOptions = {}): Reporter {
  const { coloured = false, now = () => performance.now() } = options;
  const clock = new SweepClock();
  const stages = new Map<string, StageBar>();
  let bars: { all: MultiBar; sweep: SingleBar } | undefined;

  const write = (event: RunEvent): void => {
    const text = renderLine(describeEvent(event), coloured, terminalColumns(stream));
    if (bars === undefined) stream.write(text);
    else bars.all.log(text.replaceAll('\n', ERASED));
  };

  /** Columns beside a bar. cli-progress cuts what is longer, in the middle of a number. */
  const room = (): number => terminalColumns(stream) - barSize(stream) - 1;

  const show = (event: RunEvent): void => {
    if (bars === undefined) return;
    switch (event.type) {
      case 'stage-started': {
        const bar = bars.all.create(1, 0, { text: fit(event.stage.name, ['starting'], room()) });
        stages.set(event.stage.id, { bar, since: now(), fromStep: 0 });
        break;
      }
      case 'stage-training': {
        const stage = stages.get(event.stage.id);
        if (stage === undefined) break;
        stage.since = now();
        stage.fromStep = event.fromStep;
        stage.bar.setTotal(event.steps);
        stage.bar.update(event.fromStep, { text: fit(event.stage.name, [`on ${event.device}`], room()) });
        break;
      }
      case 'stage-progress': {
        const stage = stages.get(event.stage.id);
        if (stage === undefined) break;
        const perStep = (now() - stage.since) / 1000 / Math.max(1, event.step - stage.fromStep);
        const left = duration((event.steps - event.step) * perStep);
        const epoch = `epoch ${event.epoch + 1}${event.epochs === null ? '' : `/${event.epochs}`}`;
        const [loss, speed] = rates(event);
        const details = [epoch, `step ${event.step}/${event.steps}`, loss, speed, `${left} left`];
        const text = fit(event.stage.name, details, room(), [1, 3, 2, 4]);
        stage.bar.setTotal(event.steps);
        stage.bar.update(event.step, { text: printable(text) });
        break;
      }
      case 'stage-done':
      case 'stage-retry':
      case 'stage-failed':
      case 'stage-interrupted': {
        const stage = stages.get(event.stage.id);
        stages.delete(event.stage.id);
        if (stage !== undefined) bars.all.remove(stage.bar);
        break;
      }
      default:
    }
  };

  const close = (): void => {
    if (bars === undefined) return;
    // Lines that wait for the next redraw would be lost.
    bars.all.update();
    bars.all.stop();
    bars = undefined;
  };

  return {
    onEvent: (event) => {
      clock.observe(event, now());
      if (event.type === 'plan-started') {
        write(event);
        if (clock.total > 0) bars = openBars(stream, clock.total);
        return;
      }
      if (event.type === 'run-ended') {
        close();
        write(event);
        return;
      }
      if (event.type === 'plan-extended') bars?.sweep.setTotal(clock.total);
      if (LOGGED.has(event.type)) write(event);
      show(event);
      bars?.sweep.update(clock.settled, { text: shorten(sweepText(clock, now()), room()) });
    },
    close,
  };
}

const barSize = (stream: OutputStream): number => (terminalColumns(stream) < 100 ? 10 : 20);

/**
 * A name and its details, in one line of limited width.
 *
 * @param order Indices of the details that are left out first if the line is too long; then the others.
 */
function fit(name: string, details: readonly string[], width: number, order: readonly number[] = []): string {
  const left = new Set(details.keys());
  const text = (): string => [name, ...details.filter((_, i) => left.has(i))].join(', ');
  for (const i of order) {
    if (widthOf(text()) <= width) break;
    left.delete(i);
  }
  return shorten(text(), width);
}

function openBars(stream: OutputStream, total: number): { all: MultiBar; sweep: SingleBar } {
  const all = new MultiBar({
    stream,
    format: '{bar} {text}',
    barsize: barSize(stream),
    barCompleteChar: '█',
    barIncompleteChar: '░',
    emptyOnZero: true,
    hideCursor: true,
    clearOnComplete: true,
    // Signals are the command line's business.
    gracefulExit: false,
  });
  return { all, sweep: all.create(total, 0, { text: `0/${total} stages` }) };
}

function sweepText(clock: SweepClock, now: number): string {
  const left = describeLeft(clock.left(now));
  return `${clock.settled}/${clock.total} stages${left === '' ? '' : `, ${left}`}`;
}
