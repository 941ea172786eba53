/** `vitmim plan`: what a sweep would run, what is already there, and what was left out and why. Runs nothing. */
import { Command } from 'commander';
import type { Plan, StageKind } from '../spec/stages.js';
import { loadSweep, planSweep } from './load-sweep.js';
import { jsonOption, setOption } from './options.js';
import { printJson, say } from './terminal.js';

export function planCommand(): Command {
  return new Command('plan')
    .description('show the jobs and stages of a sweep without running it')
    .argument('<spec.yaml>', 'the sweep')
    .addOption(setOption())
    .addOption(jsonOption())
    .action(async (file: string, { set, json }: { set: string[]; json?: true }) => {
      const plan = await planSweep(loadSweep(file, set));
      if (json) printJson(plan);
      else for (const line of describePlan(plan)) say(line);
    });
}

/** The plan in words. */
export function describePlan(plan: Plan): string[] {
  const kinds = new Map<StageKind, number>();
  for (const { config } of plan.stages) kinds.set(config.kind, (kinds.get(config.kind) ?? 0) + 1);
  const counts = [...kinds].map(([kind, count]) => `${count} ${kind}`).join(', ');
  return [
    `${plan.name}: ${plan.jobs.length} jobs, ${plan.stages.length} stages (${counts})`,
    ...(plan.leftOut.length === 0 ? [] : ['', `Left out, since they contradict themselves: ${plan.leftOut.length}`]),
  ];
}
