import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plan } from '../../src/spec/stages.js';
import { planSchema } from '../../src/store/records.js';
import { planOf } from '../runner/support.js';

const PLAN = planOf(
  'job: {evaluate: [finetune, knn]}\ngrid: {objective: [scratch, masked+zoomed-in], maskRatio: [0.5]}',
);

const check = (plan: unknown) => planSchema.safeParse(plan);
/** The plan as it is read back from its file, changed. */
const changed = (change: (plan: Plan) => void): unknown => {
  const plan = JSON.parse(JSON.stringify(PLAN)) as Plan;
  change(plan);
  return plan;
};

test('a plan is read back as it was written', () => {
  expect(check(changed(() => undefined)).data).toEqual(PLAN);
});

test('the plan of an earlier version is read', () => {
  const text = readFileSync(join(process.cwd(), 'results/reference/cifar10-cpu/plan.json'), 'utf8');
  expect(check(JSON.parse(text)).data).toEqual(JSON.parse(text));
});

test('anything else that JSON can hold is no plan', () => {
  for (const other of [{ version: 1 }, { version: 1, jobs: [] }, { version: 2 }, null, 1, 'version', []]) {
    expect(check(other).success).toBe(false);
  }
  expect(check(changed((plan) => (plan.version = 2 as 1))).success).toBe(false);
});

test.each<[string, (plan: Plan) => void]>([
  ['a stage twice', ({ stages }) => stages.push(stages[0]!)],
  ['a child before its parent', ({ stages }) => stages.reverse()],
  ['a job whose stage is missing', ({ stages }) => stages.pop()],
  ['a job without cells', ({ jobs }) => jobs[0]!.cells.splice(0)],
  ['a name that is a path', (plan) => (plan.name = '../x')],
  ['a mask ratio above 1', ({ jobs }) => (jobs.at(-1)!.task!.maskRatio = 1.5)],
  ['a geometry that there is not', ({ jobs }) => (jobs.at(-1)!.task!.geometry.kind = 'folded' as 'none')],
  ['more blocks than can be counted', ({ stages }) => (stages[0]!.config.model.depth = 1e12)],
])('a plan with %s is refused', (_, change) => {
  expect(check(changed(change)).success).toBe(false);
});

test('a plan whose identities are paths is refused, though they agree with each other', () => {
  const text = JSON.stringify(PLAN);
  for (const { id } of PLAN.stages) {
    expect(check(JSON.parse(text.replaceAll(id, '../../secret/x'))).success).toBe(false);
    expect(check(JSON.parse(text.replaceAll(id, 'ABCDEF0123456789'))).success).toBe(false);
    expect(check(JSON.parse(text.replaceAll(id, 'abcdef0123456789'))).success).toBe(true);
  }
});
