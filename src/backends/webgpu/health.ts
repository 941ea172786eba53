/**
 * Dawn reports failures of a device asynchronously, in events. The first one is stored here and thrown wherever values
 * are read, so that no value of a failed device is used.
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

  /** @throws TrainingError for the first failure, if there was one. */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  /** Only the first failure counts: the others follow from it. */
  #fail(message: string, failure: ConstructorParameters<typeof TrainingError>[1]): void {
    this.#failure ??= new TrainingError(message, failure);
  }
}

const firstLine = (message: string): string => message.split('\n')[0]!;
