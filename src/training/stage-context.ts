/** The context of every stage, and the files that a stage writes during training. */
import type { Dataset } from '../data/dataset.js';
import type { Shapes, Values } from '../model/parameters.js';
import type { TrainingEvent } from '../stages/events.js';
import { appendJsonLine } from '../store/files.js';
import type { StagePaths } from '../store/layout.js';
import type { LoopContext } from './loop.js';
import { isThere } from '../store/open.js';
import { CorruptFileError } from '../store/safetensors.js';
import type { SharedFeatures } from './shared-features.js';
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
  /** Weights of the pre-training from which it starts, or given ones; null if there are none. */
  parent: Values | null;
  /** The description of the model in the metadata of its checkpoints; see `weights/about.ts`; absent: none. */
  about?: Readonly<Record<string, string>>;
  /** Description of the device, for the record. */
  device: string;
  emit: (event: TrainingEvent) => void;
  signal: AbortSignal;
  /** Throws if this process may no longer write to the stage. */
  mayWrite: () => void;
  /** Processor cores that are reserved for the stage. */
  cores: number;
  /** Most milliseconds between two checkpoints. */
  checkpointEvery: number;
  /** Features that probes before this stage left in the process; absent: every stage computes its own. */
  features?: SharedFeatures;
}

/** The files that could not be read so far and were skipped, each once. */
export function corruptImages({ train, test, validation }: Dataset): string[] {
  return [...new Set([...train.corrupt, ...test.corrupt, ...(validation?.corrupt ?? [])])];
}

/** The files that the decoder warned of so far and that were used, each once. */
export function damagedImages({ train, test, validation }: Dataset): string[] {
  return [...new Set([...train.damaged, ...test.damaged, ...(validation?.damaged ?? [])])];
}

/** The initial weights of a training, and its length. */
export interface Beginning {
  /** Of all trained weights. */
  shapes: Shapes;
  /** Draws them. */
  initial: () => Values;
  epochs: number;
  stepsPerEpoch: number;
}

/**
 * The state to train from: the stage's last checkpoint that can be read, otherwise its beginning. A damaged checkpoint
 * causes a warning: it costs time, but does not change the result.
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
  const { identity, about, paths, emit, signal, mayWrite, checkpointEvery } = context;
  return {
    emit,
    signal,
    record: (metrics) => {
      appendJsonLine(paths.metrics, { ...metrics, time: new Date().toISOString() });
    },
    save: async () => {
      mayWrite();
      await saveState(paths, identity, state, about);
    },
    saveEvery: checkpointEvery,
  };
}
