/** Thrown if a stage ends early because of a stop signal. The message states which checkpoint was kept. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}
