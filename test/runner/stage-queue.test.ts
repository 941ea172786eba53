/** The order of stages if probes can use the features of the stage before them. */
import { describeStage } from '../../src/spec/describe.js';
import { staysAfter } from '../../src/runner/local.js';
import { encoderOf, StageQueue } from '../../src/runner/stage-queue.js';
import type { Stage, StageKind } from '../../src/spec/stages.js';
import { planOf } from './support.js';

const PLAN = planOf('job: {evaluate: [linear, finetune, knn]}\ngrid: {objective: [masked, blurred]}');
const nameOf = (stage: Stage | undefined): string | undefined => stage && describeStage(PLAN, stage);

/** A queue in which both pre-trainings are done. */
function queue(): StageQueue {
  const ready = new StageQueue(PLAN.stages);
  for (const stage of PLAN.stages.filter(({ parent }) => parent === null)) {
    ready.next();
    ready.done(stage);
  }
  return ready;
}

it('runs the probes of an encoder one after the other, before a fine-tuning drops its features', () => {
  const ready = queue();
  let last: string | null = null;
  const order = Array.from({ length: 6 }, () => {
    const stage = ready.next({ last, others: [] })!;
    last = encoderOf(stage);
    return nameOf(stage);
  });
  expect(order).toEqual([
    ...['linear masked', 'knn masked', 'finetune masked'],
    ...['linear blurred', 'knn blurred', 'finetune blurred'],
  ]);
});

it('gives another process the probes of another encoder, if there are any', () => {
  const ready = queue();
  const first = encoderOf(ready.next()!);
  expect(nameOf(ready.next({ last: null, others: [first] }))).toBe('finetune masked'); // it shares no features
  expect(nameOf(ready.next({ last: null, others: [first, null] }))).toBe('linear blurred');
  const second = encoderOf(PLAN.stages.find((stage) => nameOf(stage) === 'linear blurred')!);
  ready.next({ last: null, others: [first, second] });
  expect(nameOf(ready.next({ last: null, others: [first, second] }))).toBe('knn masked');
});

it('keeps a process after a probe, but not after a long training of all weights', () => {
  const after = (kind: StageKind, milliseconds: number): boolean =>
    staysAfter({ config: { ...PLAN.stages[0]!.config, kind } as Stage['config'] }, milliseconds);
  expect([after('pretrain', 1000), after('pretrain', 100_000)]).toEqual([true, false]);
  expect([after('knn', 1000), after('knn', 100_000)]).toEqual([true, true]);
});
