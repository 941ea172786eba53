#!/usr/bin/env node
import module from 'node:module';
import { environmentProblem } from '../src/common/environment.js';

// From Node 22 on, what has been compiled once is remembered: each stage is a process that loads tfjs anew.
(module as { enableCompileCache?: () => unknown }).enableCompileCache?.();
try {
  const { main } = await import('../src/cli/main.js');
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  // `main` reports its own errors: only a file of the program that cannot be loaded ends here.
  const problem = environmentProblem(error);
  if (problem === null) throw error;
  process.stderr.write(`vitmim: ${problem.message}\n`);
  process.exitCode = 2;
}
