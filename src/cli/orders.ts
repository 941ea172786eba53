/** The stages that a sweep gives to this worker after the first one, as lines on standard input. */
import { createInterface } from 'node:readline';
import type { Socket } from 'node:net';
import { orderSchema, type StageOrder } from '../runner/worker-lines.js';
import { EXIT } from './terminal.js';

/**
 * Reads orders until the sweep closes standard input. If that happens while a stage runs, the sweep has ended and
 * nothing needs the stage: the process exits.
 */
export class Orders {
  /** Does not keep the process alive, except while an order is awaited. A pipe is a socket to Node. */
  readonly #input = process.stdin as unknown as Socket;
  /** Set while an order is awaited. */
  #deliver: ((order: StageOrder | null) => void) | null = null;

  /** @param stop Aborted when the process is asked to stop: then no order is awaited. */
  constructor(stop: AbortSignal) {
    this.#input.on('error', () => undefined);
    this.#input.on('close', () => {
      if (this.#deliver === null) process.exit(EXIT.failed);
      this.#deliver(null);
    });
    createInterface({ input: this.#input }).on('line', (line) => {
      this.#deliver?.(orderSchema.parse(JSON.parse(line)));
    });
    stop.addEventListener('abort', () => this.#deliver?.(null));
    this.#input.unref();
  }

  /** The next stage; null: there is none. */
  async next(): Promise<StageOrder | null> {
    this.#input.ref();
    const order = await new Promise<StageOrder | null>((resolve) => {
      this.#deliver = resolve;
    });
    this.#input.unref();
    this.#deliver = null;
    return order;
  }
}
