/** Free blocks of the shared memory. */

interface Block {
  readonly pointer: number;
  length: number;
}

export class FreeBlocks {
  #bySize = new Map<number, number[]>();
  /** Bytes of all blocks. */
  bytes = 0;

  add(pointer: number, size: number): void {
    const blocks = this.#bySize.get(size);
    if (blocks) blocks.push(pointer);
    else this.#bySize.set(size, [pointer]);
    this.bytes += size;
  }

  /** Removes a block of exactly this size. */
  take(size: number): number | undefined {
    const pointer = this.#bySize.get(size)?.pop();
    if (pointer !== undefined) this.bytes -= size;
    return pointer;
  }

  /** Removes all blocks: by address, neighbours joined. */
  takeAll(): Block[] {
    const blocks = [...this.#bySize].flatMap(([length, pointers]) => pointers.map((pointer) => ({ pointer, length })));
    blocks.sort((a, b) => a.pointer - b.pointer);
    const joined: Block[] = [];
    for (const block of blocks) {
      const last = joined.at(-1);
      if (last && last.pointer + last.length === block.pointer) last.length += block.length;
      else joined.push(block);
    }
    this.#bySize = new Map();
    this.bytes = 0;
    return joined;
  }

  /** Joins neighbours. */
  join(): void {
    for (const { pointer, length } of this.takeAll()) this.add(pointer, length);
  }

  /** Cuts a block out of the smallest one that is large enough. */
  cut(size: number): number | undefined {
    const lengths = [...this.#bySize]
      .filter(([length, at]) => length >= size && at.length > 0)
      .map(([length]) => length);
    if (lengths.length === 0) return undefined;
    const length = Math.min(...lengths);
    const pointer = this.take(length)!;
    if (length > size) this.add(pointer + size, length - size);
    return pointer;
  }
}
