/** Slurm's programs, called. What they write is understood in `parse.ts`. */
import { execFile } from 'node:child_process';
import { errorCode, UsageError } from '../../common/errors.js';

export type Program = 'sbatch' | 'squeue' | 'sacct' | 'scancel' | 'scontrol';

export interface ProgramOutput {
  code: number;
  stdout: string;
  stderr: string;
}

/** Bytes of the longest answer: some tens of thousands of tasks. */
const LONGEST = 64 * 1024 * 1024;

/** The time limit of queries to Slurm. A controller that does not answer makes its programs wait for minutes. */
const ANSWER_WITHIN_MS = 30_000;
const QUESTIONS: ReadonlySet<Program> = new Set(['squeue', 'sacct']);

/**
 * Calls a program and waits for it.
 *
 * @throws UsageError if the program is not installed, was killed, or does not answer a query in half a minute.
 */
export function callSlurm(program: Program, args: readonly string[]): Promise<ProgramOutput> {
  return new Promise((resolve, reject) => {
    const timeout = QUESTIONS.has(program) ? ANSWER_WITHIN_MS : 0;
    execFile(program, args, { maxBuffer: LONGEST, timeout, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ code: error.code, stdout, stderr });
      else if (errorCode(error) === 'ENOENT')
        reject(new UsageError(`${program} is not installed here; use a host of Slurm's`));
      else if (error.killed === true && timeout > 0)
        reject(new UsageError(`${program} did not answer within ${timeout / 1000} s; run the command again later`));
      else reject(new UsageError(`${program} ended abnormally: ${error.message}; run the command again`));
    });
  });
}

/**
 * Calls a program that must succeed, and returns its standard output.
 *
 * @throws UsageError with the program's own message.
 */
export async function demandSlurm(program: Program, args: readonly string[]): Promise<string> {
  return outputOf(program, await callSlurm(program, args));
}

/** @throws UsageError if it failed, with the program's own message. */
export function outputOf(program: Program, { code, stdout, stderr }: ProgramOutput): string {
  if (code === 0) return stdout;
  throw new UsageError(`${program} failed: ${stderr.trim() || `exit code ${code}`}`);
}
