/** `vitmim doctor`: which devices this machine has, which one `auto` takes, and why. */
import { Command } from 'commander';
import { jsonOption } from './options.js';
import { printJson, printWrapped } from './terminal.js';

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('list the devices of this machine, and explain which one is chosen')
    .addOption(jsonOption())
    .option('--no-benchmark', 'do not measure the devices')
    .addHelpText('after', '\nExample:\n  vitmim doctor --no-benchmark')
    .action(async ({ json, benchmark }: { json?: true; benchmark: boolean }) => {
      const { describeDiagnosis, diagnose } = await import('./diagnose.js'); // loads tfjs
      const diagnosis = await diagnose(benchmark);
      if (json) printJson(diagnosis);
      else for (const line of describeDiagnosis(diagnosis)) printWrapped(line, 4);
    });
}
