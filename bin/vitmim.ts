#!/usr/bin/env node
import module from 'node:module';
import { environmentProblem } from '../src/common/environment.js';

// From Node 22 on, what has been compiled once is remembered: each stage is a process that loads tfjs anew.
(module as { enableCompileCache?: () => unknown }).enableCompileCache?.();
try {
  const { main } = await import('../src/cli/main.js');
  const { answerIsMissing } = await import('../src/data/answered.js');
  // Imported now: once the threads of Node wait for a file system that does not answer, nothing else can be imported.
  const { endProcess } = await import('../src/cli/end-process.js');
  process.exitCode = await main(process.argv.slice(2));
  if (answerIsMissing()) endProcess(process.exitCode);
} catch (error) {
  // `main` reports its own errors: only a file of the program that cannot be loaded ends here.
  const problem = environmentProblem(error);
  if (problem === null) throw error;
  process.stderr.write(`vitmim: ${problem.message}\n`);
  process.exitCode = 2;
}
