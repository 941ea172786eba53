/** The environment variables that select the planted mutant for a process and its children. */

/** The number of the mutant. */
export const PLANTED_VARIABLE = 'VITMIM_MUTANT';
/** A file to which the numbers of reached mutants are appended; no mutant is planted then. */
export const REACHED_VARIABLE = 'VITMIM_MUTANTS_REACHED';
/** The process that runs the tests; what other processes reach is not attributed to a single test. */
export const RECORDER_VARIABLE = 'VITMIM_MUTANTS_RECORDER';
