import type { Plan } from '../../src/spec/stages.js';
import { sweepPaths } from '../../src/store/layout.js';
import { choosePlans } from '../../src/store/plans.js';

/** The newest plan of a results folder. */
export const planIn = (folder: string): Plan => choosePlans(sweepPaths(folder), 'newest').plan;
