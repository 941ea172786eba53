/** `vitmim verify`: whether the files of a results folder are still those that the sweep wrote. */
import { Command } from 'commander';
import { verify, type Verification } from '../runner/verify.js';
import { jsonOption, planChoice, planOptions, type PlanOptions } from './options.js';
import { EXIT, printJson, printWrapped } from './terminal.js';

export function verifyCommand(finish: (code: number) => void): Command {
  const command = new Command('verify')
    .description('check that plan, results and checkpoints of a results folder fit together')
    .argument('<folder>', 'the results folder')
    .addOption(jsonOption());
  for (const option of planOptions()) command.addOption(option);
  return command
    .addHelpText(
      'after',
      `
Reads every plan, stage and checkpoint of the folder, and changes nothing: the folder may be read-only. Compares the SHA-256
of each checkpoint with the one in it and the one in result.json. Checks that each stage.json has the identity that names its
folder, and that each result started from the checkpoint that its pre-training has now. Missing results of the newest plan
(or of --plan, --all) are counted, and are no mismatch. Prints a line for each mismatch. The exit code is 1 if there are any.

Examples:
  vitmim verify results/ablation
  vitmim verify results/ablation --json | jq -r '.mismatches[].file'`,
    )
    .action((folder: string, { json, ...which }: PlanOptions & { json?: true }) => {
      const watched = process.stderr.isTTY && !json;
      const found = verify(folder, planChoice(which), (place, of) => {
        if (watched) process.stderr.write(`\rstage ${place} of ${of}\u001b[K`);
      });
      if (watched) process.stderr.write('\r\u001b[K');
      if (json) printJson({ folder, ...found });
      else for (const line of describe(folder, found)) printWrapped(line, 2);
      finish(found.mismatches.length === 0 ? EXIT.ok : EXIT.failed);
    });
}

/** A line for each mismatch, then the counts and the first mismatch again. */
function describe(folder: string, found: Verification): string[] {
  const { mismatches } = found;
  const checked = `${count(found.results, 'result')} and ${count(found.checkpoints, 'checkpoint')} of ${count(found.stages, 'stage')}${found.plans > 1 ? ` in ${found.plans} plans` : ''} checked`;
  const asides = [
    [found.missingResults, 'has no result yet', 'have no result yet'],
    [found.missingCheckpoints, 'result has lost its checkpoint', 'results have lost their checkpoints'],
    [found.otherRevisions, 'is of another engine revision', 'are of another engine revision'],
  ] as const;
  const aside = asides
    .filter(([number]) => number > 0)
    .map(([number, one, many]) => `${number} ${number === 1 ? one : many}`);
  const [first] = mismatches;
  const end =
    first === undefined
      ? 'everything fits together'
      : `${count(mismatches.length, 'mismatch', 'mismatches')}, the first in ${first.file}`;
  return [
    ...mismatches.map(({ file, problem, remedy }) => `${file} ${problem}; ${remedy}`),
    `${folder}: ${[checked, ...aside].join(', ')}: ${end}`,
  ];
}

const count = (number: number, one: string, many = `${one}s`): string => `${number} ${number === 1 ? one : many}`;
