/**
 * `import { … } from 'vitmim'`: what the command line does, for programs. Nothing here prints, or ends the process; errors
 * are thrown. `docs/api.md` has an example.
 */
export { TrainingError, UsageError } from '../common/errors.js';
export { SpecError } from '../spec/problems.js';
export { openEncoder } from './encoder.js';
export { readResults } from './results.js';
export { planSweep, readSpec, runSweep } from './sweeps.js';
export type * from './events.js';
export type * from './types.js';
