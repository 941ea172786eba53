/** Faults that were once planted by hand and that no test detected. They are among the mutants of every run. */

export interface NamedFault {
  name: string;
  file: string;
  /** The expression or statement that is changed, compared without spaces; it occurs once in the file. */
  find: string;
  /** If `find` occurs more often: the function in whose arguments it is. */
  inCallOf?: string;
  replace: string;
}

export const NAMED_FAULTS: readonly NamedFault[] = [
  {
    name: "the epoch's loss is divided by one step too many",
    file: 'src/training/loop.ts',
    find: 'sum / task.stepsPerEpoch',
    replace: 'sum / (task.stepsPerEpoch + 1)',
  },
  {
    name: 'a step has the learning rate of the next',
    file: 'src/training/loop.ts',
    find: 'learningRateAt(schedule, state.step, task.stepsPerEpoch)',
    replace: 'learningRateAt(schedule, state.step + 1, task.stepsPerEpoch)',
  },
  {
    name: 'AdamW corrects its moments for a step too many',
    file: 'src/training/loop.ts',
    find: 'state.step + 1',
    replace: 'state.step + 2',
  },
  {
    name: 'clipGradient is ignored',
    file: 'src/training/loop.ts',
    find: 'clipGradient === undefined ? gradients : clipByGlobalNorm(gradients, clipGradient, norm)',
    replace: 'gradients',
  },
  {
    name: 'fine-tuning is scored on the training images',
    file: 'src/training/finetune.ts',
    find: 'measuredSplit(config, dataset)',
    replace: 'dataset.train',
  },
  {
    name: 'every seed draws the labelled subset of seed 0',
    file: 'src/training/finetune.ts',
    find: 'seed',
    inCallOf: 'labelledSubset',
    replace: '0',
  },
  {
    name: 'layerDecay is ignored',
    file: 'src/training/finetune.ts',
    find: 'recipe.layerDecay',
    replace: '1',
  },
  {
    name: 'the linear probe has momentum .5',
    file: 'src/training/linear.ts',
    find: '0.9',
    replace: '0.5',
  },
  {
    name: 'the linear probe does not standardise features',
    file: 'src/training/training-features.ts',
    find: 'standardize(set, width)',
    replace: '() => undefined',
  },
  {
    name: 'the learning rate of the linear probe never decays',
    file: 'src/training/heads.ts',
    find: 'learningRateAt(schedule, epoch * perEpoch + step, perEpoch)',
    replace: 'learningRateAt({ ...schedule, warmupEpochs: 0 }, 0, perEpoch)',
  },
  {
    name: 'pre-training degrades an image alike in every epoch',
    file: 'src/training/pretrain.ts',
    find: "stream(seed, 'degrade', epoch, index)",
    replace: "stream(seed, 'degrade', 0, index)",
  },
  {
    name: 'masked+zoomed-in is compared with identity',
    file: 'src/evidence/principles.ts',
    find: "factorial.find({ mask: 0.75, misalignment: 'none', style: 'preserved' })",
    replace: "factorial.find({ mask: 0, misalignment: 'none', style: 'preserved' })",
  },
  {
    name: 'measurements are paired by position instead of seed',
    file: 'src/report/comparison.ts',
    find: 'bySeed.get(seed) ?? null',
    replace: 'b.measurements[a.measurements.findIndex((own) => own.seed === seed)]?.accuracy ?? null',
  },
  {
    name: 'shards do not count pre-trainings',
    file: 'src/spec/shard.ts',
    find: 'load.pretrainings += pretrainingsOf(family);',
    replace: '',
  },
  {
    name: 'the cache of images never counts what it holds',
    file: 'src/data/image-cache.ts',
    find: 'this.#left -= data.length;',
    replace: '',
  },
];
