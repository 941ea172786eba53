/** The command line: which commands there are, and how errors become exit codes. Each command is one file beside this. */
import { Command, CommanderError } from 'commander';
import { messageOf } from '../common/errors.js';
import { EXIT, fail, outputFailure, say, surviveReaders } from './terminal.js';
import { blasCommand } from './blas.js';
import { cancelCommand } from './cancel.js';
import { cleanCommand } from './clean.js';
import { compareCommand } from './compare.js';
import { completionCommand } from './completion.js';
import { dataCommand } from './data.js';
import { doctorCommand } from './doctor.js';
import { embedCommand } from './embed.js';
import { exportCommand } from './export.js';
import { planCommand } from './plan.js';
import { powerCommand } from './power.js';
import { previewCommand } from './preview.js';
import { reportCommand } from './report.js';
import { schemaCommand } from './schema.js';
import { statusCommand } from './status.js';
import { stageCommand } from './stage.js';
import { sweepCommand } from './sweep.js';
import { trainCommand } from './train.js';
import { verifyCommand } from './verify.js';
import { VERSION } from '../common/version.js';

const EXAMPLES = `
Examples:
  vitmim sweep experiments/first-look.yaml     compare a pre-training with scratch in two minutes
  vitmim status results/ablation               see how far it is
  vitmim report results/smoke                  print and write its tables
  vitmim power results/pilot                   see how many seeds decide a difference
  vitmim clean results/ablation --dry-run      see what could be removed
  vitmim plan experiments/ablation.yaml        see what a sweep would run
  vitmim preview masked+zoomed-in --image photo.jpg --out panels.png

Exit codes: 0 all done, 1 a job failed, a table cell is missing or a file does not fit, 2 bad usage or spec,
stopped by a signal: 130 SIGINT (Ctrl-C), 143 SIGTERM, 129 SIGHUP (the terminal was closed).`;

/** Runs a command line and returns its exit code. Never throws, never exits by itself. */
export async function main(args: readonly string[]): Promise<number> {
  surviveReaders();
  const code = await runCommand(args);
  const failure = await outputFailure();
  if (failure === undefined) return code;
  say(`vitmim: standard output is incomplete: ${messageOf(failure)}`);
  return code === EXIT.ok ? EXIT.failed : code;
}

async function runCommand(args: readonly string[]): Promise<number> {
  let code: number = EXIT.ok;
  const finish = (value: number): void => {
    code = value;
  };
  const program = new Command('vitmim')
    .description('Sweeps over masked, misaligned and restyled image pre-training of Vision Transformers.')
    .version(VERSION)
    .addHelpText('after', EXAMPLES)
    .showSuggestionAfterError();
  const commands = [
    sweepCommand(finish),
    planCommand(),
    statusCommand(),
    cancelCommand(),
    reportCommand(finish),
    compareCommand(finish),
    powerCommand(),
    exportCommand(),
    embedCommand(finish),
    verifyCommand(finish),
    cleanCommand(finish),
    trainCommand(finish),
    previewCommand(),
    dataCommand(),
    blasCommand(),
    doctorCommand(),
    schemaCommand(),
    completionCommand(),
  ];
  for (const command of commands) program.addCommand(command);
  program.addCommand(stageCommand(finish), { hidden: true });
  throwInsteadOfExiting(program);
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    // Commander has already printed what is wrong with the arguments; help and version end here too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return fail(error, args.includes('--json'));
  }
}

function throwInsteadOfExiting(command: Command): void {
  command.exitOverride();
  for (const nested of command.commands) throwInsteadOfExiting(nested);
}
