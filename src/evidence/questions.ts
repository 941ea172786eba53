/** The questions of a sweep: the principles of the paper in each setting, and the comparisons of its spec. */
import { resolveTriple } from '../spec/cells.js';
import type { ObjectivePair, Job } from '../spec/stages.js';
import type { Task } from '../spec/task.js';
import { groupBy } from '../common/group-by.js';
import { appliesTo, varyingKeys, type Configuration } from './configuration.js';
import { difference, type Contrast, type ContrastCell } from './contrasts.js';
import { factorialsOf, type Factorial } from './factorial.js';
import type { Measurement } from './measurements.js';
import { PRINCIPLES } from './principles.js';

/** A hypothesis about a difference, which results decide. */
export interface Question {
  /** `Misalignment helps` */
  hypothesis: string;
  /** `key=value`, if a sweep has several settings. Each setting has a question of its own. */
  setting: string;
  /** `a minus b` */
  quantity: string;
  /** The sign of the quantity if the hypothesis is true, of a metric that is better when higher. */
  sign: 1 | -1;
  /** One for each context; none: the plan has no cells to compare. */
  contrasts: readonly Contrast[];
}

/** Every question, whether results are there or not. */
export function questionsOf(measurements: readonly Measurement[], compare: readonly ObjectivePair[] = []): Question[] {
  return [
    ...factorialsOf(measurements).flatMap(principlesIn),
    ...compare.flatMap((pair) => questionsOfPair(pair, measurements)),
  ];
}

/** The principles of the paper in one setting. */
export function principlesIn(factorial: Factorial): Question[] {
  return PRINCIPLES.map(({ name, quantity, sign, contrastsOf }) => ({
    hypothesis: name,
    setting: factorial.setting,
    quantity,
    sign,
    contrasts: contrastsOf(factorial),
  }));
}

/** Whether the plan has cells that can answer it. */
export const canBeAsked = ({ contrasts }: Question): boolean => contrasts.length > 0;

/** The names of the evaluations that jobs are ranked by: several if jobs disagree. */
export function rankings(jobs: readonly Pick<Job, 'rankedBy'>[]): string[] {
  return [...new Set(jobs.map(({ rankedBy }) => rankedBy))].filter((name) => name !== null);
}

// --- comparisons of two objectives -----------------------------------------------------------------------------------

/** The runs of one objective in one setting. */
interface Side {
  /** Keys that apply to it and vary between the runs that are compared. */
  shared: Configuration;
  cell: ContrastCell;
}

function questionsOfPair([a, b]: ObjectivePair, measurements: readonly Measurement[]): Question[] {
  const [own, others] = [a, b].map((name) => measurements.filter(({ task }) => isObjective(name, task)));
  const keys = varyingKeys([...own!, ...others!]);
  const [first, second] = [sidesOf(own!, keys), sidesOf(others!, keys)];
  const pairs = first.flatMap((left) =>
    second.filter((right) => agree(left, right)).map((right) => ({ left, right, shared: merged(left, right) })),
  );
  return pairs.map(({ left, right, shared }) => ({
    hypothesis: `${a} is better than ${b}`,
    setting: [...shared].map(([key, value]) => `${key}=${value}`).join(' '),
    quantity: `${a} minus ${b}`,
    sign: 1,
    contrasts: [difference(left.cell, right.cell)],
  }));
}

/** Whether a task is an objective at its own mask ratio. Strengths do not count. */
function isObjective(name: string, task: Task | null): boolean {
  const triple = resolveTriple(name, {});
  if (triple.kind !== 'triple') return triple.kind === 'scratch' && task === null;
  if (task === null) return false;
  const { maskRatio, geometry, style } = task;
  return maskRatio === triple.maskRatio && geometry.kind === triple.misalignment && style.kind === triple.style;
}

function sidesOf(measurements: readonly Measurement[], keys: readonly string[]): Side[] {
  const strengths = varyingKeys(measurements.map((item) => ({ task: item.task, configuration: item.strengths })));
  const settingOf = (item: Measurement): Map<string, string> =>
    new Map([
      ...keys
        .filter((key) => appliesTo(key, item))
        .map((key) => [key, item.configuration.get(key) ?? 'unset'] as const),
      ...strengths.map((key) => [key, item.strengths.get(key) ?? 'unset'] as const),
    ]);
  return [...groupBy(measurements, (item) => JSON.stringify([...settingOf(item)])).values()].map((members) => ({
    shared: settingOf(members[0]!),
    cell: {
      measurements: members,
      accuracies: new Map(
        members.flatMap(({ seed, accuracy }): [number, number][] => (accuracy === null ? [] : [[seed, accuracy]])),
      ),
    },
  }));
}

/** Whether two sides have the same value of every key that applies to both. */
const agree = (a: Side, b: Side): boolean =>
  [...a.shared].every(([key, value]) => (b.shared.get(key) ?? value) === value);

const merged = (a: Side, b: Side): Configuration => new Map([...a.shared, ...b.shared]);
