/**
 * Measured encoders by their triple and everything else that differs but the seed, for charts of sweeps that go beyond
 * the paper's objectives. Nothing that differs in a second key is ever averaged.
 */
import type { Task } from '../../../spec/task.js';
import { taskName } from '../../../spec/objective.js';
import type { Measurement } from '../../../evidence/measurements.js';
import { appliesTo, varyingKeys, type Configuration } from '../../../evidence/configuration.js';
import { summaryStatistics, type Summary } from '../../../statistics/summary.js';
import type { Reference } from '../chart.js';
import { settingsAmong, type DescribeSetting } from '../../../evidence/variants.js';
import { groupBy } from '../../../common/group-by.js';

/** The seeds of one task in one setting. */
export interface Group {
  task: Task;
  /** `key=value` of what differs between groups besides the triple, the seed and the key set aside. */
  setting: string;
  /** The part of the setting that scratch may have too. */
  shared: Configuration;
  /** The value of the key set aside; null if there is no such key. */
  aside: number | null;
  statistics: Summary;
}

/**
 * Groups what has been pre-trained and measured.
 *
 * @param aside A key with numbers that is the x axis of a chart, and so no part of the setting.
 */
export function groupsOf(measurements: readonly Measurement[], aside: string | null = null): Group[] {
  const keys = varyingKeys(measurements).filter((key) => key !== aside);
  const describe = settingsAmong(measurements);
  const byTriple = groupBy(measurements, ({ task }) => (task === null ? '' : tripleOf(task)));
  return [...byTriple.values()].flatMap((members) => {
    const strengths = varyingKeys(members.map(({ task, strengths: configuration }) => ({ task, configuration })));
    return grouped(members, keys, strengths, aside, describe);
  });
}

function grouped(
  members: readonly Measurement[],
  keys: readonly string[],
  strengths: readonly string[],
  aside: string | null,
  describe: DescribeSetting,
): Group[] {
  const placed = members.flatMap((member) => {
    const { task, accuracy, configuration } = member;
    if (task === null || accuracy === null) return [];
    const shared = new Map(keys.map((key) => [key, configuration.get(key) ?? 'unset']));
    const all = [...shared, ...strengths.map((key) => [key, member.strengths.get(key) ?? 'unset'] as const)];
    const group = { task, setting: describe(all, member), shared };
    return [{ ...group, aside: aside === null ? null : Number(configuration.get(aside)), accuracy }];
  });
  return [...groupBy(placed, ({ setting, aside: x }) => `${setting}\n${x}`).values()].map((own) => {
    const { accuracy: _, ...group } = own[0]!;
    return { ...group, statistics: summaryStatistics(own.map(({ accuracy }) => accuracy)) };
  });
}

const tripleOf = (task: Task): string => `${task.maskRatio} ${taskName(task)}`;

/**
 * From scratch in the same setting: the mean of its seeds; null without results, or if there are several such settings.
 */
export function scratchReference(measurements: readonly Measurement[], { shared }: Group): Reference | null {
  const scratch = measurements.filter(
    ({ task, weights, accuracy }) => task === null && weights === undefined && accuracy !== null,
  );
  const comparable = scratch.filter(({ task, configuration }) =>
    [...shared].every(([key, value]) => !appliesTo(key, { task }) || (configuration.get(key) ?? 'unset') === value),
  );
  const unlike = varyingKeys(comparable);
  const { mean } = summaryStatistics(comparable.flatMap(({ accuracy }) => accuracy ?? []));
  return mean === null || unlike.length > 0 ? null : { value: mean, label: `scratch: ${mean.toFixed(2)}` };
}
