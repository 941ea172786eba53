/** Thrown where a stage ends early because it was asked to. The message says what was kept. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}
