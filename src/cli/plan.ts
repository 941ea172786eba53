/** `vitmim plan`: what a sweep would run, what is done already, and what was left out and why. Runs nothing. */
import { join } from 'node:path';
import { Command } from 'commander';
import { describeCell } from '../spec/cells.js';
import { describeStage } from '../runner/describe.js';
import { inspectPlan } from '../runner/inspect.js';
import { formatRemark, remarksOn, type Remark } from '../spec/remarks.js';
import { formatShard, shardPlan, type Shard } from '../spec/shard.js';
import type { Plan, StageKind } from '../spec/stages.js';
import { sweepPaths } from '../store/layout.js';
import { loadSweep, planSweep } from './load-sweep.js';
import { jsonOption, outOption, setOption, shardOption } from './options.js';
import { printJson, say } from './terminal.js';

interface Options {
  out?: string;
  set: string[];
  shard?: Shard;
  json?: true;
}

export function planCommand(): Command {
  return new Command('plan')
    .description('show the stages of a sweep, which of them are done, and which cells contradict themselves')
    .argument('<spec.yaml>', 'the sweep')
    .addOption(outOption())
    .addOption(setOption())
    .addOption(shardOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  vitmim plan experiments/ablation.yaml --set grid.seed=[0]')
    .action(async (file: string, { out, set, shard, json }: Options) => {
      const sweep = loadSweep(file, set);
      const plan = await planSweep(sweep);
      showPlan(plan, out ?? join('results', plan.name), { json, shard, remarks: remarksOn(sweep, plan) });
    });
}

interface ShowOptions {
  json?: true | undefined;
  /** Shows this part alone. */
  shard?: Shard | undefined;
  /** What the plan says otherwise than the one that the folder holds. */
  changes?: ReadonlyMap<string, string> | undefined;
  /** What the spec writes without effect. */
  remarks: readonly Remark[];
}

/** Remarks that are printed; of further ones only the number. */
const MOST_REMARKS = 20;

/** The remarks as lines. */
export function remarkLines(remarks: readonly Remark[]): string[] {
  const lines = remarks.slice(0, MOST_REMARKS).map(formatRemark);
  const rest = remarks.length - lines.length;
  return rest > 0 ? [...lines, `and ${rest} more`] : lines;
}

/** Prints a plan against what its results folder holds. */
export function showPlan(whole: Plan, folder: string, { json, shard, changes, remarks }: ShowOptions): void {
  const plan = shard === undefined ? whole : shardPlan(whole, shard);
  const verdicts = inspectPlan(plan, sweepPaths(folder), changes);
  if (json) {
    const stages = plan.stages.map((stage) => ({ ...stage, ...verdicts.get(stage.id)! }));
    printJson({ ...plan, stages, remarks: remarks.map(formatRemark) });
    return;
  }
  const kinds = new Map<StageKind, number>();
  for (const { config } of plan.stages) kinds.set(config.kind, (kinds.get(config.kind) ?? 0) + 1);
  const counts = [...kinds].map(([kind, count]) => `${count} ${kind}`).join(', ');
  const hits = [...verdicts.values()].filter(({ kind }) => kind === 'hit').length;

  for (const stage of plan.stages) {
    const { kind, why } = verdicts.get(stage.id)!;
    say(`${kind.padEnd(4)} ${stage.id}  ${describeStage(whole, stage)}  (${why})`);
  }
  if (plan.leftOut.length > 0) {
    say('\nLeft out, since they contradict themselves:');
    for (const { cell, reason } of plan.leftOut) say(`  ${describeCell(cell)}: ${reason}`);
  }
  if (remarks.length > 0) {
    say('\nWithout effect:');
    for (const line of remarkLines(remarks)) say(`  ${line}`);
  }
  const name = shard === undefined ? plan.name : `${plan.name}, shard ${formatShard(shard)}`;
  say(`\n${name}: ${plan.jobs.length} jobs, ${plan.stages.length} stages (${counts}), ${hits} done already`);
}
