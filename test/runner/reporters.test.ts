import { Writable } from 'node:stream';
import type { RunEvent } from '../../src/runner/events.js';
import { barsReporter } from '../../src/runner/reporters/bars.js';
import { usesColour } from '../../src/runner/reporters/colour.js';
import { describeLeft, duration } from '../../src/runner/reporters/format.js';
import { createReporter } from '../../src/runner/reporters/index.js';
import { jsonReporter } from '../../src/runner/reporters/json.js';
import { plainReporter } from '../../src/runner/reporters/plain.js';
import type { StageRef } from '../../src/spec/describe.js';
import { resultOf } from './support.js';

const pretrain: StageRef = { id: 'a', kind: 'pretrain', entry: 'pretrain', name: 'pretrain masked seed 0' };
const finetune: StageRef = { id: 'b', kind: 'finetune', entry: 'finetune', name: 'finetune masked seed 0' };
const scratch: StageRef = { id: 'c', kind: 'finetune', entry: 'finetune', name: 'finetune scratch seed 0' };
const linear: StageRef = { id: 'd', kind: 'linear', entry: 'linear', name: 'linear masked seed 0' };

const progress = (step: number): RunEvent => ({
  type: 'stage-progress',
  stage: pretrain,
  epoch: 1,
  epochs: 4,
  step,
  steps: 40,
  loss: 0.91234,
  imagesPerSecond: 312.4,
});

const failure = {
  cause: 'crash' as const,
  attempts: 3,
  stage: pretrain,
  reason: 'exit code 3; the end of its log:\n  oh no',
  log: 'r/log.txt',
  seconds: 75,
};

/** Seconds on the clock, and what happened then. */
const STORY: [number, RunEvent][] = [
  [
    0,
    {
      type: 'plan-started',
      name: 'smoke',
      folder: 'results/smoke',
      stages: 5,
      hits: 1,
      toRun: { pretrain: 1, finetune: 2, linear: 1 },
      jobs: 2,
    },
  ],
  [
    0,
    {
      type: 'stage-hit',
      stage: { id: 'e', kind: 'knn', entry: 'knn', name: 'knn scratch seed 0' },
      why: 'done before',
    },
  ],
  [0, { type: 'stage-started', stage: pretrain, attempt: 2, why: 'failed (NaN)' }],
  [0, { type: 'stage-started', stage: scratch, attempt: 1, why: 'new' }],
  [1, { type: 'stage-training', stage: pretrain, device: 'OpenBLAS, 1 thread', steps: 40, fromStep: 10 }],
  [5, progress(15)],
  [11, progress(20)],
  [12, progress(21)],
  [22, progress(30)],
  [23, { type: 'stage-warning', stage: pretrain, message: 'an image is damaged' }],
  [24, { type: 'stage-evaluated', stage: scratch, epoch: 2, metrics: { accuracy: 33.333, top5: null } }],
  [60, { type: 'stage-done', stage: scratch, result: resultOf('finetune', { accuracy: 45.678 }), seconds: 60 }],
  [75, { type: 'stage-failed', ...failure }],
  [75, { type: 'stage-blocked', stage: finetune, by: pretrain }],
  [76, { type: 'run-stopping', why: 'asked', workers: 1 }],
  [80, { type: 'stage-interrupted', stage: linear, seconds: 4.4 }],
  [
    80,
    {
      type: 'run-ended',
      summary: {
        stages: 5,
        done: 1,
        hits: 1,
        failed: [failure],
        blocked: [finetune],
        interrupted: [linear],
        pending: 0,
        open: 0,
        waitsFor: null,
        unneeded: 0,
        decidedBy: null,
        left: 0,
        seconds: 80,
      },
    },
  ],
];

test('plain lines say everything once, and progress at most every ten seconds a stage', () => {
  let now = 0;
  const written: string[] = [];
  const reporter = plainReporter((text) => written.push(text), { now: () => now * 1000 });
  for (const [time, event] of STORY) {
    now = time;
    reporter.onEvent(event);
  }
  expect(written.join('')).toBe(
    [
      'sweep    smoke: 1 done before, 1 pretrain, 2 finetune, 1 linear to run, 2 at once → results/smoke',
      'hit      knn scratch seed 0: done before',
      'start    pretrain masked seed 0: failed (NaN), attempt 2',
      'start    finetune scratch seed 0: new',
      'run      pretrain masked seed 0: 40 steps, from step 10, on OpenBLAS, 1 thread',
      'epoch    pretrain masked seed 0: epoch 2/4, step 20/40, loss 0.9123, 312 images/s',
      'epoch    pretrain masked seed 0: epoch 2/4, step 30/40, loss 0.9123, 312 images/s',
      'warning  pretrain masked seed 0: an image is damaged',
      'test     finetune scratch seed 0: 33.33 % after epoch 2',
      'done     finetune scratch seed 0: 45.68 % in 1 min 00 s [1/4; more than 1 min 00 s left]',
      'failed   pretrain masked seed 0: crash after 3 attempts: exit code 3; the end of its log:',
      '           oh no',
      '         log: r/log.txt',
      'blocked  finetune masked seed 0: not run, since pretrain masked seed 0 failed',
      'stop     waiting for one worker to keep a checkpoint; Ctrl-C again to kill',
      'stopped  linear masked seed 0: after 4 s; run again to continue',
      'end      1 done, 1 done before, 1 failed, 1 blocked, 1 stopped, in 1 min 20 s',
      '         pretrain masked seed 0: crash: exit code 3; the end of its log: (log: r/log.txt)',
      '',
    ].join('\n'),
  );
});

test('plain lines are broken between words, below their text', () => {
  const written: string[] = [];
  const line: RunEvent = { type: 'stage-blocked', stage: finetune, by: pretrain };
  plainReporter((text) => written.push(text), { columns: () => 40 }).onEvent(line);
  expect(written.join('')).toBe(
    ['blocked  finetune masked seed 0: not', '         run, since pretrain masked seed', '         0 failed', ''].join(
      '\n',
    ),
  );
});

test('plain lines are coloured only when told so', () => {
  const written: string[] = [];
  const line: RunEvent = { type: 'stage-blocked', stage: finetune, by: pretrain };
  plainReporter((text) => written.push(text), { coloured: true }).onEvent(line);
  expect(written).toEqual([
    '\u001b[31mblocked \u001b[39m finetune masked seed 0: not run, since pretrain masked seed 0 failed\n',
  ]);
});

test('JSON lines are the events themselves', () => {
  const written: string[] = [];
  const reporter = jsonReporter((text) => written.push(text));
  for (const [, event] of STORY) reporter.onEvent(event);
  expect(written.every((text) => text.endsWith('\n') && !text.slice(0, -1).includes('\n'))).toBe(true);
  const events = written.map((text): unknown => JSON.parse(text));
  expect(events).toEqual(
    STORY.map(([, event]) => {
      if (event.type !== 'stage-evaluated') return event;
      return { type: event.type, stage: event.stage, epoch: 2, accuracy: 33.333, top5: null };
    }),
  );
});

/** A stream that keeps what is written to it. */
function capture(isTTY: boolean, columns = 200) {
  const chunks: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk.toString());
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY, columns }), text: () => chunks.join('') };
}

const CONTROL = /\u001b\[[0-9;?]*[A-Za-z]/g;

describe('bars', () => {
  const { stream, text } = capture(true);
  const reporter = barsReporter(stream, { now: () => now * 1000 });
  let now = 0;
  const seen: string[] = [];
  for (const [time, event] of STORY) {
    now = time;
    reporter.onEvent(event);
  }
  seen.push(...text().replaceAll(CONTROL, '\n').split('\n'));

  test('show the sweep and each running stage with its numbers', () => {
    expect(text()).toContain('░ 0/4 stages');
    expect(text()).toContain('pretrain masked seed 0, epoch 2/4, step 30/40, loss 0.9123, 312 images/s, 11 s left');
    expect(text()).toContain('░ 1/4 stages, more than 1 min 00 s left');
    expect(text()).toContain('█ 4/4 stages');
  });

  test('leave above them what is worth keeping, each once', () => {
    const kept = seen.filter((line) =>
      /^(sweep|hit|start|run|epoch|warning|done|failed|blocked|stop|stopped|end) {2,}/.test(line),
    );
    expect(kept.map((line) => line.split(' ')[0])).toEqual([
      'sweep',
      'warning',
      'done',
      'failed',
      'blocked',
      'stop',
      'stopped',
      'end',
    ]);
  });

  test('give the cursor back at the end and leave no timer behind', () => {
    const [hide, show] = ['\u001b[?25l', '\u001b[?25h'];
    expect(text().lastIndexOf(show)).toBeGreaterThan(text().lastIndexOf(hide));
    const length = text().length;
    reporter.close();
    expect(text()).toHaveLength(length);
  });

  test.each([40, 60, 80])('fit a terminal of %i columns, and cut no number', (columns) => {
    const narrow = capture(true, columns);
    let clock = 0;
    const own = barsReporter(narrow.stream, { now: () => clock * 1000 });
    for (const [time, event] of STORY) {
      clock = time;
      own.onEvent(event);
    }
    const lines = narrow.text().replaceAll(CONTROL, '\n').split('\n');
    expect(lines.filter((line) => line.length > columns)).toEqual([]);
    for (const line of lines.join(' ').match(/loss [\d.]*|\d+ images\/\S*/g) ?? []) {
      expect(line).toMatch(/^(loss \d\.\d{4}|312 images\/s)$/);
    }
    expect(lines.join(' ').includes('epoch 2/4')).toBe(columns >= 60);
  });

  test('leave signals to the command line', () => {
    const before = process.listenerCount('SIGINT');
    const own = barsReporter(capture(true).stream);
    own.onEvent(STORY[0]![1]);
    const drawn = process.listenerCount('SIGINT');
    own.close();
    expect(drawn).toBe(before);
  });

  test('are not drawn when there is nothing to run', () => {
    const idle = capture(true);
    const own = barsReporter(idle.stream);
    own.onEvent({ type: 'plan-started', name: 'smoke', folder: 'r', stages: 3, hits: 3, toRun: {}, jobs: 1 });
    own.onEvent({
      type: 'run-ended',
      summary: {
        stages: 3,
        done: 0,
        hits: 3,
        failed: [],
        blocked: [],
        interrupted: [],
        pending: 0,
        open: 0,
        waitsFor: null,
        unneeded: 0,
        decidedBy: null,
        left: 0,
        seconds: 0.2,
      },
    });
    expect(idle.text()).toBe('sweep    smoke: 3 done before, nothing to run → r\nend      3 done before, in 0 s\n');
  });
});

describe('what a run is shown by', () => {
  const firstOf = (json: boolean, isTTY: boolean, env: NodeJS.ProcessEnv): [string, string] => {
    const [stdout, stderr] = [capture(isTTY), capture(isTTY)];
    const reporter = createReporter({ json, stdout: stdout.stream, stderr: stderr.stream, env });
    reporter.onEvent(STORY[0]![1]);
    reporter.close();
    return [stdout.text(), stderr.text()];
  };
  const line = 'sweep    smoke: 1 done before, 1 pretrain, 2 finetune, 1 linear to run, 2 at once → results/smoke\n';

  test('is only JSON on standard output if requested', () => {
    expect(firstOf(true, true, {})).toEqual([`${JSON.stringify(STORY[0]![1])}\n`, '']);
  });

  test('is bars on a terminal', () => {
    expect(firstOf(false, true, {})[1]).toContain('\u001b[?25l');
  });

  test.each([
    [false, {}],
    [true, { CI: 'true' }],
    [true, { TERM: 'dumb' }],
  ])('is plain lines on standard error elsewhere (terminal: %p, %p)', (isTTY, env) => {
    expect(firstOf(false, isTTY, env)).toEqual(['', line]);
  });
});

test('colours follow FORCE_COLOR, then NO_COLOR, then the terminal', () => {
  const [terminal, pipe] = [capture(true).stream, capture(false).stream];
  expect(usesColour(terminal, {})).toBe(true);
  expect(usesColour(pipe, {})).toBe(false);
  expect(usesColour(terminal, { NO_COLOR: '1' })).toBe(false);
  expect(usesColour(pipe, { FORCE_COLOR: '1' })).toBe(true);
  expect(usesColour(terminal, { FORCE_COLOR: '0' })).toBe(false);
  expect(usesColour(terminal, { TERM: 'dumb' })).toBe(false);
});

test('durations read well at every size', () => {
  expect([0.4, 59.6, 65, 3599.7, 3660, 86399, 100000].map(duration)).toEqual([
    '0 s',
    '1 min 00 s',
    '1 min 05 s',
    '1 h 00 min',
    '1 h 01 min',
    '23 h 59 min',
    '1 d 3 h',
  ]);
  expect(describeLeft({ seconds: 65, atLeast: false })).toBe('about 1 min 05 s left');
});
