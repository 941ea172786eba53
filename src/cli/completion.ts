/** `vitmim completion`: a script for a shell that completes commands, options, their choices, and files. */
import { Argument, Command } from 'commander';
import { bashScript } from './completion/bash.js';
import { fishScript } from './completion/fish.js';
import { completionModel, type CommandModel } from './completion/model.js';
import { zshScript } from './completion/zsh.js';
import { printRaw } from './terminal.js';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export const SCRIPTS: Record<Shell, (program: CommandModel) => string> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** The command; it describes the program that it was added to. */
export function completionCommand(): Command {
  return new Command('completion')
    .description('print a script that completes vitmim in a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText(
      'after',
      `
Examples:
  eval "$(vitmim completion bash)"                                      in ~/.bashrc
  eval "$(vitmim completion zsh)"                                       in ~/.zshrc, after compinit
  vitmim completion fish > ~/.config/fish/completions/vitmim.fish       once`,
    )
    .action((shell: Shell, _options: object, command: Command) => {
      printRaw(SCRIPTS[shell](completionModel(command.parent ?? command)));
    });
}
