/** What every kind of stage runs with, and the files it writes while it trains. */
import type { Dataset } from '../data/dataset.js';
import type { Shapes, Values } from '../model/parameters.js';
import type { TrainingEvent } from '../stages/events.js';
import { appendJsonLine } from '../store/files.js';
import type { StagePaths } from '../store/layout.js';
import type { LoopContext } from './loop.js';
import { isThere } from '../store/open.js';
import { CorruptFileError } from '../store/safetensors.js';
import {
  freshState,
  loadState,
  saveState,
  type CheckpointIdentity,
  type StateOptions,
  type TrainingState,
} from './state.js';

export interface StageContext<Data extends Dataset = Dataset> {
  /** The identity of the stage's checkpoints. */
  identity: CheckpointIdentity;
  paths: StagePaths;
  dataset: Data;
  /** Weights of the pre-training it starts from; null where there is none. */
  parent: Values | null;
  /** Description of the device, for the record. */
  device: string;
  emit: (event: TrainingEvent) => void;
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

/** What a training begins with, and how long it is. */
export interface Beginning {
  /** Of all weights that are trained. */
  shapes: Shapes;
  /** Draws them. */
  initial: () => Values;
  epochs: number;
  stepsPerEpoch: number;
}

/**
 * The state to train from: the stage's last checkpoint that reads back, else its beginning. A damaged one is told of: it
 * costs time, never a number.
 */
export function openState(
  context: StageContext,
  { initial, ...plan }: Beginning,
  options: StateOptions,
): TrainingState {
  const { identity, paths, emit } = context;
  for (const path of [paths.checkpoint, paths.previousCheckpoint]) {
    if (!isThere(path)) continue;
    try {
      return loadState(path, { ...identity, ...plan }, options);
    } catch (error) {
      if (!(error instanceof CorruptFileError)) throw error;
      emit({ type: 'warning', message: `${error.message}; going on from the checkpoint before it, if there is one` });
    }
  }
  return freshState(initial(), options);
}

/** Connects the training loop to the stage's files and events. */
export function loopContext(context: StageContext, state: TrainingState): LoopContext {
  const { identity, paths, emit, signal, mayWrite, checkpointEvery } = context;
  return {
    emit,
    signal,
    record: (metrics) => {
      appendJsonLine(paths.metrics, { ...metrics, time: new Date().toISOString() });
    },
    save: async () => {
      mayWrite();
      await saveState(paths, identity, state);
    },
    saveEvery: checkpointEvery,
  };
}
