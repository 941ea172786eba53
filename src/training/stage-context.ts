/** What every kind of stage is given, and the files it keeps while it trains. */
import { existsSync } from 'node:fs';
import type { Dataset } from '../data/dataset.js';
import type { Values } from '../model/parameters.js';
import type { Stage } from '../spec/stages.js';
import { appendJsonLine } from '../store/files.js';
import type { StagePaths } from '../store/layout.js';
import type { StageEvent } from '../store/records.js';
import type { LoopContext } from './loop.js';
import { CorruptFileError } from './safetensors.js';
import { freshState, loadState, saveState, type SlotOptions, type TrainingState } from './state.js';

export interface StageContext {
  stage: Stage;
  paths: StagePaths;
  dataset: Dataset;
  /** Weights of the pre-training it starts from; null where there is none. */
  parent: Values | null;
  /** Description of the device, for the record. */
  device: string;
  emit: (event: StageEvent) => void;
  signal: AbortSignal;
  /** Throws once the stage is no longer this process's to write. */
  mayWrite: () => void;
  /** Most milliseconds between two checkpoints. */
  checkpointEvery: number;
}

/** The files found unreadable so far and passed over, each once. */
export function corruptImages({ train, test }: Dataset): string[] {
  return [...new Set([...train.corrupt, ...test.corrupt])];
}

/**
 * The state to train from: the stage's last checkpoint that reads back, else its beginning. A damaged one is told of: it
 * costs time, never a number.
 */
export function openState(context: StageContext, initial: () => Values, options: SlotOptions): TrainingState {
  const { paths, stage, emit } = context;
  for (const path of [paths.checkpoint, paths.previousCheckpoint]) {
    if (!existsSync(path)) continue;
    try {
      return loadState(path, stage.id, options);
    } catch (error) {
      if (!(error instanceof CorruptFileError)) throw error;
      emit({ type: 'warning', message: `${error.message}; going on from the checkpoint before it, if there is one` });
    }
  }
  return freshState(initial(), options);
}

/** Connects the training loop to the stage's files and events. */
export function loopContext(context: StageContext, state: TrainingState): LoopContext {
  const { paths, stage, emit, signal, mayWrite, checkpointEvery } = context;
  return {
    emit,
    signal,
    record: (metrics) => {
      appendJsonLine(paths.metrics, { ...metrics, time: new Date().toISOString() });
    },
    save: async () => {
      mayWrite();
      await saveState(paths, stage.id, state);
    },
    saveEvery: checkpointEvery,
  };
}
