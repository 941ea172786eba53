/** Runs whose training did not work: which they are, and how tables mark them. */
import { describeCell } from '../spec/cells.js';
import { stageProblem } from '../evidence/health.js';
import { stageIds } from '../spec/stages.js';
import type { ReportData, StageRecord } from './collect.js';
import type { Row, Table } from './table.js';

/** A stage whose training did not work, according to its result. */
export interface UnhealthyStage {
  id: string;
  kind: StageRecord['stage']['config']['kind'];
  /** `pretrain`, or the name of the evaluation in `evaluate`. */
  entry: string;
  /** A cell of the sweep that has the stage. */
  run: string;
  /** The problem, as a clause. */
  problem: string;
}

/** Every unhealthy stage once, in the order of the jobs. */
export function unhealthyStages({ jobs, stages }: Pick<ReportData, 'jobs' | 'stages'>): UnhealthyStage[] {
  const found = new Map<string, UnhealthyStage>();
  for (const job of jobs) {
    for (const id of stageIds(job)) {
      const record = stages.get(id);
      if (record === undefined || found.has(record.stage.id)) continue;
      const problem = stageProblem(record);
      if (problem === null) continue;
      const { kind } = record.stage.config;
      found.set(id, { id, kind, entry: record.entry, run: job.cells.slice(0, 1).map(describeCell).join(), problem });
    }
  }
  return [...found.values()];
}

/** `finetune 0123456789abcdef (masked, seed 0): its loss ended at 2.31, …` */
export const describeUnhealthy = ({ id, entry, run, problem }: UnhealthyStage): string =>
  `${entry} ${id} (${run}): ${problem}`;

/** The table with a sentence on the mark, if one of its rows has it. */
export function withMarkExplained(table: Table): Table {
  const marked = table.rows.some(({ unhealthy }: Row) => typeof unhealthy === 'number' && unhealthy > 0);
  if (!marked) return table;
  return {
    ...table,
    caption: `${table.caption} † Runs whose training did not work: no other number of their row counts them.`,
  };
}
