/** `vitmim plan`: what a sweep would run, what is done already, and what was left out and why. Runs nothing. */
import { join } from 'node:path';
import { Command } from 'commander';
import { describeResolution, resolutionOf } from '../report/power/resolution.js';
import { describeCell } from '../spec/cells.js';
import { groupBy } from '../common/group-by.js';
import { askerOf } from '../decide/needs.js';
import { plannedVerdicts } from '../decide/seeds.js';
import { confidencesOf } from '../evidence/looks.js';
import { trialsPerCell } from '../report/selection.js';
import { duration } from '../runner/reporters/format.js';
import { inspectPlan } from '../runner/inspect.js';
import { axesOf, type Axis } from '../spec/axes.js';
import { describeStage } from '../spec/describe.js';
import { formatRemark, remarksOn, type Remark } from '../spec/remarks.js';
import { formatShard, shardPlan, type Shard } from '../spec/shard.js';
import { countEntries, type Plan, type SeedsRule } from '../spec/stages.js';
import { openJson } from '../store/files.js';
import { STAGE_ID, sweepPaths, type SweepPaths } from '../store/layout.js';
import { namesIn } from '../store/open.js';
import { resultSchema, stageSchema } from '../store/records.js';
import { DataSizes, estimateCost, type Done, type CostEstimate } from './estimate.js';
import { loadSweep } from '../runner/plan-sweep.js';
import { planSweep } from './load-sweep.js';
import { jsonOption, outOption, setOption, shardOption } from './options.js';
import { spreadSourceOf } from './spread-source.js';
import { print, printJson, printWrapped, say } from './terminal.js';

interface Options {
  out?: string;
  set: string[];
  shard?: Shard;
  spread?: string;
  json?: true;
}

export function planCommand(): Command {
  return new Command('plan')
    .description('show the stages of a sweep, which of them are done, and which cells contradict themselves')
    .argument('<spec.yaml>', 'the sweep')
    .addOption(outOption())
    .addOption(setOption())
    .addOption(shardOption())
    .option(
      '--spread <folder>',
      'results whose spread between runs is used (default: the results folder, or results that vitmim has itself)',
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  vitmim plan experiments/ablation.yaml --set grid.seed=[0]
  vitmim plan experiments/ablation.yaml --spread results/pilot      what its seeds can resolve`,
    )
    .action(async (file: string, { out, set, shard, spread, json }: Options) => {
      const sizes = new DataSizes();
      const sweep = loadSweep(file, set);
      const plan = await planSweep(sweep, sizes.addOpened, json ? say : print);
      showPlan(plan, out ?? join('results', plan.name), {
        json,
        shard,
        sizes,
        remarks: remarksOn(sweep, plan),
        spread,
      });
    });
}

interface ShowOptions {
  sizes: DataSizes;
  json?: true | undefined;
  /** Shows only this part. */
  shard?: Shard | undefined;
  /** The differences between the plan and the one in the folder. */
  changes?: ReadonlyMap<string, string> | undefined;
  /** The keys of the spec without effect. */
  remarks: readonly Remark[];
  /** The results from which the variance of runs is estimated; see `spreadSourceOf`. */
  spread?: string | undefined;
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
export function showPlan(
  whole: Plan,
  folder: string,
  { json, shard, changes, sizes, remarks, spread }: ShowOptions,
): void {
  const plan = shard === undefined ? whole : shardPlan(whole, shard);
  const paths = sweepPaths(folder);
  // A sweep tries again what failed.
  const inspections = inspectPlan(
    plan,
    paths,
    changes,
    askerOf(whole, paths)(() => true),
  );
  const toRun = plan.stages.filter(({ id }) => inspections.get(id)!.kind === 'run');
  const open = plan.stages.filter(({ id }) => inspections.get(id)!.kind === 'open');
  const done = doneStages(paths);
  const estimated = estimateCost(toRun, sizes, done);
  const atMost = open.length === 0 ? null : estimateCost([...toRun, ...open], sizes, done);
  const axes = axesOf(plan);
  const resolution = resolutionOf(whole, spreadSourceOf(folder, spread));
  if (json) {
    const stages = plan.stages.map((stage) => ({ ...stage, ...inspections.get(stage.id)! }));
    printJson({
      ...plan,
      stages,
      axes,
      remarks: remarks.map(formatRemark),
      estimate: estimated,
      estimateAtMost: atMost,
      resolution,
    });
    return;
  }
  const counts = Object.entries(countEntries(plan, plan.stages))
    .map(([entry, count]) => `${count} ${entry}`)
    .join(', ');
  const hits = [...inspections.values()].filter(({ kind }) => kind === 'hit').length;

  const width = Math.max(4, ...[...inspections.values()].map(({ kind }) => kind.length));
  for (const stage of plan.stages) {
    const { kind, why } = inspections.get(stage.id)!;
    printWrapped(`${kind.padEnd(width)} ${stage.id}  ${describeStage(whole, stage)}  (${why})`, 6);
  }
  if (plan.leftOut.length > 0) {
    print('\nLeft out, since they contradict themselves:');
    for (const { cell, reason } of plan.leftOut) printWrapped(`  ${describeCell(cell)}: ${reason}`, 2);
  }
  print('');
  for (const line of describeAxes(axes)) printWrapped(line, 2);
  if (remarks.length > 0) {
    print('\nWithout effect:');
    for (const line of remarkLines(remarks)) printWrapped(`  ${line}`, 4);
  }
  const name = shard === undefined ? plan.name : `${plan.name}, shard ${formatShard(shard)}`;
  printWrapped(`\n${name}: ${plan.jobs.length} jobs, ${plan.stages.length} stages (${counts}), ${hits} done already`);
  for (const line of describeEstimate(estimated)) printWrapped(line, 2);
  if (resolution !== null) printWrapped(`Seeds: ${describeResolution(resolution)}`, 2);
  for (const line of describeSelection(whole)) printWrapped(line, 2);
  if (whole.seeds !== undefined) printWrapped(describeSeeds(whole, whole.seeds), 2);
  if (atMost !== null) {
    print(`If ${open.length === 1 ? 'the open stage is' : `all ${open.length} open stages are`} needed, too:`);
    for (const line of describeEstimate(atMost)) printWrapped(`  ${line}`, 4);
  }
}

/** How many trials choose the values of the cells. */
function describeSelection({ jobs, selections = [] }: Plan): string[] {
  const [first] = selections;
  if (first === undefined) return [];
  const { by, keys, planned, seeds } = first;
  const all = groupBy(jobs, ({ candidate }) => (candidate?.isTrial === true ? candidate.selection : ''));
  const trials = selections.map(({ id }) => all.get(id)?.length ?? 0);
  const idle = trials.filter((count) => count === 0).length;
  return [
    `Select: ${keys.join(', ')} by ${by} on validation, ${planned} candidates × ${seeds.length} ` +
      `${seeds.length === 1 ? 'seed' : 'seeds'} = ${trialsPerCell(first)} trials per cell, ` +
      `${trials.reduce((a, b) => a + b, 0)} in ${selections.length} cells` +
      (idle === 0 ? '' : `; ${idle} of them have nothing to choose, since the keys do not concern them`),
  ];
}

/** The effect of the rule of seeds on this plan. */
function describeSeeds(plan: Plan, rule: SeedsRule): string {
  const { looks, alpha, smallest } = rule;
  const count = plannedVerdicts(plan, rule);
  const size = smallest === null ? '' : `, or its interval is within ±${smallest}`;
  const confidences = confidencesOf(rule, count).map((confidence) => `${(100 * confidence).toPrecision(5)} %`);
  return (
    `Looks: at ${looks.join(', ')} seeds, until each of ${count} ${count === 1 ? 'verdict' : 'verdicts'} is ` +
    `decided${size}. With a probability of at most ${alpha}, any verdict is wrong: intervals of ${confidences.join(', ')}.`
  );
}

/** Finished stages of the folder, of this plan and earlier ones, from which the speed of this machine is estimated. */
const MOST_READ = 200;

function doneStages({ stages, stage: filesOf }: SweepPaths): Done[] {
  return namesIn(stages)
    .filter((name) => STAGE_ID.test(name))
    .slice(0, MOST_READ)
    .flatMap((id) => {
      const files = filesOf(id);
      const stage = openJson(files.stage, stageSchema);
      const result = openJson(files.result, resultSchema);
      if (stage.kind !== 'present' || result.kind !== 'present') return []; // its speed is not known
      const { config } = stage.value;
      const measured = result.value.kind === config.kind && result.value.seconds > 0 && result.value.trainImages > 0;
      return measured ? [{ config, result: result.value }] : [];
    });
}

/** `objective  masked, scratch (2)`; consecutive whole numbers are shown as `0 to 9 (10)`. */
function describeAxes(axes: readonly Axis[]): string[] {
  const width = Math.max(...axes.map(({ name }) => name.length));
  return axes.map(({ name, values }) => `${name.padEnd(width)}  ${describeValues(values)} (${values.length})`);
}

function describeValues(values: readonly string[]): string {
  const inRow = values.length > 3 && values.every((value, i) => Number(value) === Number(values[0]) + i);
  return inRow ? `${values[0]!} to ${values.at(-1)!}` : values.join(', ');
}

/**
 * FLOP/s of training if no stage was measured: of one core of a server with a BLAS, and of a large GPU in float16 with
 * models of CIFAR's size (docs/devices.md).
 */
const DEFAULT_RATES = [
  { flops: 25e9, what: 'on one core of a processor (device simd, 25 GFLOP/s)' },
  { flops: 50e12, what: 'on a large GPU (device webgpu, 50 TFLOP/s)' },
] as const;

function describeEstimate({ flops, seconds, measured, bytes, largest }: CostEstimate): string[] {
  if (flops === 0) return [];
  const time =
    seconds === null
      ? `${DEFAULT_RATES.map((rate) => `about ${duration(flops / rate.flops)} ${rate.what}`).join(', ')}: defaults, since no stage in the folder was measured yet`
      : `about ${duration(seconds)} of work one stage after the other, at the speed of ${measured} ${measured === 1 ? 'stage' : 'stages'} in the folder`;
  return [
    `Time: ${time}. ${flops.toExponential(1)} FLOPs of training and features; reading images and starting are not counted.`,
    `Disk: ${size(bytes)} of checkpoints, and while a stage trains up to ${size(largest)} for the one before its last.`,
  ];
}

function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${(bytes / 1000 ** power).toPrecision(3)} ${units[power]!}`;
}
