/**
 * What goes wrong on a device comes later, and beside the program: Dawn tells of it in events. They are kept here, and
 * thrown wherever numbers are read, so that none is trusted that a failed device has computed.
 */
import { TrainingError } from '../../common/errors.js';

export class Health {
  #failure: TrainingError | null = null;

  constructor(device: GPUDevice) {
    void device.lost.then(({ message }) => {
      this.#fail(`the graphics device was lost: ${firstLine(message)}`, 'device-lost');
    });
    device.addEventListener('uncapturederror', (event) => {
      const { error } = event;
      event.preventDefault(); // it is thrown instead of printed
      const outOfMemory = error.constructor.name === 'GPUOutOfMemoryError';
      if (outOfMemory)
        this.#fail(`the graphics device has no memory left: ${firstLine(error.message)}`, 'out-of-memory');
      else this.#fail(`the graphics device refused a command: ${error.message.trim()}`, 'crash');
    });
  }

  /** @throws TrainingError saying what has gone wrong first, if anything has. */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  /** What follows from the first failure is noise. */
  #fail(message: string, failure: ConstructorParameters<typeof TrainingError>[1]): void {
    this.#failure ??= new TrainingError(message, failure);
  }
}

const firstLine = (message: string): string => message.split('\n')[0]!;
