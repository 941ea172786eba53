/** `vitmim status`: how far the sweep in a results folder is, from its files only. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { UsageError } from '../common/errors.js';
import { groupBy } from '../common/group-by.js';
import { inOneLine } from '../common/printable.js';
import { wrap } from '../common/wrap.js';
import { duration } from '../runner/reporters/format.js';
import { slurmStates, type SlurmStage } from '../runner/slurm/states.js';
import { needsOfAll } from '../decide/needs.js';
import { standingsIn } from '../decide/standing.js';
import { isSettled, statusOf, STATUSES, workLeft, type StageStatus, type Status } from '../runner/status.js';
import type { Plan } from '../spec/stages.js';
import { sweepPaths } from '../store/layout.js';
import { choosePlans, describeRest } from '../store/plans.js';
import { reasonInBrief } from '../store/state.js';
import { jsonOption, planChoice, planOptions, timeSpan, type PlanOptions } from './options.js';
import { describeListed, listedPlans } from './plan-list.js';
import { isReaderGone, print, printJson, printRaw, printedWidth } from './terminal.js';

interface Options extends PlanOptions {
  watch?: number | true;
  json?: true;
}

const WATCH_EVERY_SECONDS = 5;

export function statusCommand(): Command {
  const command = new Command('status')
    .description('show the progress of the sweep in a results folder, what runs and what failed')
    .argument('<folder>', 'the results folder')
    .addOption(new Option('-w, --watch [time]', 'repeat, every 5s unless a time is given').argParser(timeSpan))
    .addOption(jsonOption());
  for (const option of planOptions()) command.addOption(option);
  return command
    .addHelpText(
      'after',
      `
Reads the folder's files: it may be on a shared file system, and the sweep on another machine. A folder keeps every plan
that ran in it. The newest one is shown, and all of them are listed, each with the keys in which it differs.

Examples:
  vitmim status results/ablation
  vitmim status results/ablation --watch 30s
  vitmim status results/ablation --all           every plan that ran in the folder
  vitmim status results/ablation --plan 3f9a     one of them
  vitmim status results/ablation --json | jq '.stages[] | select(.status == "failed")'`,
    )
    .action(async (folder: string, { watch, json, ...which }: Options) => {
      for (;;) {
        const found = choosePlans(sweepPaths(folder), planChoice(which));
        const { plan, rest, damaged } = found;
        const needs = needsOfAll(
          found.chosen.map((kept) => kept.plan),
          standingsIn(sweepPaths(folder))(),
        );
        const stages = statusOf(plan, folder, needs);
        const plans = listedPlans(found, folder, stages);
        const slurm = await askSlurm(folder);
        if (json)
          printJson({
            name: plan.name,
            folder,
            plans,
            rest,
            damagedPlans: damaged.map(({ path }) => path),
            counts: countBy(stages),
            stages,
            ...slurm.json,
          });
        else {
          const notShown = describeRest(rest, folder);
          const lines = [
            ...describe(plan, folder, stages, Date.now()),
            ...slurm.lines,
            ...describeListed(plans),
            ...damaged.map(({ path }) => `${path} is damaged; run its sweep again: it writes its plan anew`),
            ...(notShown === null ? [] : [notShown]),
          ];
          show(lines, watch !== undefined);
        }
        if (watch === undefined || isReaderGone() || stages.every(isSettled)) return;
        await sleep((watch === true ? WATCH_EVERY_SECONDS : watch) * 1000);
      }
    });
}

/** In a terminal that is watched, replaces the text before. */
function show(lines: readonly string[], watched: boolean): void {
  if (watched && process.stdout.isTTY) printRaw('\u001b[2J\u001b[H');
  print(lines.map((line) => wrap(line, printedWidth(), 2)).join('\n'));
}

function countBy(stages: readonly StageStatus[]): Record<Status, number> {
  const counts = Object.fromEntries(STATUSES.map((status) => [status, 0])) as Record<Status, number>;
  for (const { status } of stages) counts[status] += 1;
  return counts;
}

/** Stages that are listed; of the others, only the number is printed. */
const MOST_LISTED = 20;

function describe(plan: Plan, folder: string, stages: readonly StageStatus[], now: number): string[] {
  const left = workLeft(stages);
  const more = left?.atLeast ? 'more than' : 'about';
  const rest = left === null || left.seconds === 0 ? '' : `; ${more} ${duration(left.seconds)} of work left`;
  const counts = countBy(stages);
  return [
    `${plan.name} → ${folder}: ${counts.done} of ${stages.length - counts.unneeded} stages done${rest}`,
    ...decisions(stages),
    '',
    ...table(stages),
    ...section('Running', stages, 'running', (stage) => runningLine(stage, now)),
    ...section(
      'Lost: their processes are gone; the next sweep continues from their checkpoints',
      stages,
      'lost',
      nameLine,
    ),
    ...section('Failed', stages, 'failed', failedLine),
    ...section('Interrupted', stages, 'interrupted', nameLine),
    ...damaged(stages),
  ];
}

/** The decisions of the rules of the plan, and the results that they wait for. */
function decisions(stages: readonly StageStatus[]): string[] {
  const counts = new Map<string, number>();
  for (const { status, decision } of stages) {
    if (decision === null) continue;
    const text = status === 'open' ? `may be needed: ${decision}` : `not needed: ${decision}`;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].map(([text, count]) => `${count} ${count === 1 ? 'stage' : 'stages'} ${text}`);
}

/** The states of Slurm, or why there are none; the files have the rest. */
async function askSlurm(folder: string): Promise<{ lines: string[]; json: object }> {
  try {
    const states = await slurmStates(folder);
    return { lines: slurmLines(states), json: { slurm: Object.fromEntries(states) } };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { lines: ['', `Slurm: not known (${error.message})`], json: { slurm: {}, slurmProblem: error.message } };
  }
}

/** The numbers of submitted stages in each state of Slurm. */
function slurmLines(states: ReadonlyMap<string, SlurmStage>): string[] {
  const counts = new Map<string, number>();
  for (const { state, reason } of states.values()) {
    const name = reason === null || reason === 'None' ? state : `${state} (${reason})`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  if (counts.size === 0) return [];
  return ['', `Slurm: ${[...counts].map(([state, count]) => `${count} ${state}`).join(', ')}`];
}

function table(stages: readonly StageStatus[]): string[] {
  const shown = STATUSES.filter((status) => stages.some((stage) => stage.status === status));
  const isFirst = ([entry]: readonly [string, unknown]): number => Number(entry === 'pretrain');
  const byEntry = [...groupBy(stages, ({ stage }) => stage.entry)].sort((a, b) => isFirst(b) - isFirst(a));
  const width = Math.max(9, ...byEntry.map(([entry]) => entry.length));
  const cells = byEntry.map(([entry, members]) => {
    const own = countBy(members);
    return [entry.padEnd(width), ...shown.map((status) => String(own[status]).padStart(status.length))].join('  ');
  });
  return [[' '.repeat(width), ...shown].join('  '), ...cells];
}

function section(
  title: string,
  stages: readonly StageStatus[],
  status: Status,
  line: (stage: StageStatus) => string,
): string[] {
  const own = stages.filter((stage) => stage.status === status);
  if (own.length === 0) return [];
  const rest = own.length - MOST_LISTED;
  const listed = own.slice(0, MOST_LISTED).map((stage) => `  ${line(stage)}`);
  return ['', title, ...listed, ...(rest > 0 ? [`  and ${rest} more; see --json`] : [])];
}

/** Of stages whose results do not count. */
function damaged(stages: readonly StageStatus[]): string[] {
  const lines = stages.flatMap(({ stage, damage }) => (damage === null ? [] : [`  ${stage.name}: ${damage}`]));
  if (lines.length === 0) return [];
  const rest = lines.length - MOST_LISTED;
  const more = rest > 0 ? [`  and ${rest} more; see --json`] : [];
  return ['', 'Damaged: run the sweep again, which repeats these stages', ...lines.slice(0, MOST_LISTED), ...more];
}

const nameLine = ({ stage }: StageStatus): string => stage.name;

function runningLine({ stage, state, progress }: StageStatus, now: number): string {
  const since = duration((now - Date.parse(state!.startedAt)) / 1000);
  const run = `for ${since} on ${inOneLine(state!.host)}`;
  if (progress === null) return `${stage.name}: ${run}`;
  const { epoch, epochs, loss, imagesPerSecond } = progress;
  return `${stage.name}: epoch ${epoch.toFixed(1)}/${epochs}, loss ${loss.toFixed(4)}, ${imagesPerSecond.toPrecision(3)} images/s, ${run}`;
}

function failedLine({ stage, state }: StageStatus): string {
  const attempts = state!.attempt > 1 ? ` after ${state!.attempt} attempts` : '';
  return `${stage.name}: ${state!.cause ?? 'failed'}${attempts}: ${reasonInBrief(state!)}`;
}
