/** Entries of a folder that are no images of a split, counted by reason. */
export class Ignored {
  readonly #folder: string;
  /** By reason: how many, and the first of them. */
  readonly #found = new Map<string, { count: number; first: string }>();

  /** @param folder What the names are relative to. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  get folder(): string {
    return this.#folder;
  }

  /**
   * @param reason In the singular, such as `hidden` or `.txt`.
   * @param name Relative to the folder.
   */
  add(reason: string, name: string): void {
    this.#count(reason, 1, name);
  }

  addAll(others: Ignored): void {
    for (const [reason, { count, first }] of others.#found) this.#count(reason, count, first);
  }

  #count(reason: string, count: number, name: string): void {
    const known = this.#found.get(reason);
    if (known === undefined) this.#found.set(reason, { count, first: name });
    else this.#found.set(reason, { count: known.count + count, first: known.first < name ? known.first : name });
  }

  /** `3 × .txt (cat/notes.txt, …), 1 × hidden (.DS_Store)`, the most frequent first; null: nothing was ignored. */
  describe(): string | null {
    if (this.#found.size === 0) return null;
    return [...this.#found]
      .sort(([a, { count: m }], [b, { count: n }]) => n - m || (a < b ? -1 : 1))
      .map(([reason, { count, first }]) => `${count} × ${reason} (${first}${count > 1 ? ', …' : ''})`)
      .join(', ');
  }
}
