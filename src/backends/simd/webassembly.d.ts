/** The part of the WebAssembly interface used here. TypeScript declares it only among the types of browsers. */
declare namespace WebAssembly {
  class Memory {
    /** Sizes in pages of 64 KiB. */
    constructor(descriptor: { initial: number; maximum: number; shared: true });
    readonly buffer: SharedArrayBuffer;
    grow(pages: number): number;
  }
  /** Whether this version of Node supports all instructions of a module. */
  function validate(bytes: Uint8Array): boolean;
  // Only the constructor is declared: instances are passed on and not used otherwise.
  // oxlint-disable-next-line typescript/no-extraneous-class
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    constructor(module: Module, imports: { env: { memory: Memory } });
    readonly exports: Readonly<Record<string, unknown>>;
  }
}
