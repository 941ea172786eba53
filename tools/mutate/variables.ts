/** How a process and its children are told which mutant is planted, by variables of the environment. */

/** The number of the mutant. */
export const PLANTED_VARIABLE = 'VITMIM_MUTANT';
/** A file that gets the numbers of the mutants whose code is reached, in place of planting any. */
export const REACHED_VARIABLE = 'VITMIM_MUTANTS_REACHED';
/** The process that runs the tests; what others reach is not of one test alone. */
export const RECORDER_VARIABLE = 'VITMIM_MUTANTS_RECORDER';
