/**
 * The learning rates that pre-trainings logged in their `metrics.jsonl`. Tasks and seeds share a schedule, so each is read
 * from the first stage that has it; a sweep of thousands of stages has few.
 */
import { sweepPaths } from '../store/layout.js';
import type { ReportData, StageRecord } from './collect.js';
import { configurationOf, type Configuration } from '../evidence/configuration.js';
import { readCurve } from './curves.js';

/** The keys that determine the rate at an epoch. */
const KEYS = ['epochs', 'batchSize', 'warmupEpochs', 'baseLearningRate', 'minLearningRate'].map(
  (key) => `pretrain.${key}`,
);

export interface LoggedSchedule {
  /** Of the keys that decide it. */
  configuration: Configuration;
  points: readonly { epoch: number; rate: number }[];
}

/** Schedules in the order of the stages, without those whose logs are missing. */
export function readSchedules({ sweeps, stages }: Pick<ReportData, 'sweeps' | 'stages'>): LoggedSchedule[] {
  const schedules = new Map<string, LoggedSchedule>();
  for (const record of stages.values()) {
    if (record.result?.kind !== 'pretrain') continue;
    const configuration = scheduleOf(record);
    const identity = JSON.stringify([...configuration]);
    if (schedules.has(identity)) continue;
    const curves = sweeps.map(({ folder }) => ratesOf(sweepPaths(folder).stage(record.stage.id)));
    const points = curves.find(({ length }) => length > 1);
    if (points !== undefined) schedules.set(identity, { configuration, points });
  }
  return [...schedules.values()];
}

function scheduleOf({ stage }: StageRecord): Configuration {
  const all = configurationOf([stage]);
  return new Map(KEYS.map((key) => [key, all.get(key)!]));
}

function ratesOf(paths: Parameters<typeof readCurve>[0]): LoggedSchedule['points'] {
  return readCurve(paths).flatMap(({ epoch, learningRate }) =>
    learningRate === undefined ? [] : [{ epoch, rate: learningRate }],
  );
}
