#!/usr/bin/env node
import module from 'node:module';

// From Node 22 on, what has been compiled once is remembered: each stage is a process that loads tfjs anew.
(module as { enableCompileCache?: () => unknown }).enableCompileCache?.();
const { main } = await import('../src/cli/main.js');
const { answerIsMissing } = await import('../src/data/answered.js');
// Imported now: once the threads of Node wait for a file system that does not answer, nothing can be imported any more.
const { endProcess } = await import('../src/cli/end-process.js');

process.exitCode = await main(process.argv.slice(2));
if (answerIsMissing()) endProcess(process.exitCode);
