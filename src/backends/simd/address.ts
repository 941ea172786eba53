/** Addresses in the shared memory, as a type of their own: a size or a stride in place of one does not compile. */

declare const isAddress: unique symbol;

/** A byte offset in the shared memory. */
export type Address = number & { readonly [isAddress]: true };

/** Bytes of a float32. */
export const FLOAT = 4;

/** Stands for an argument that is left out: no tensor has this address. */
export const NONE = 0 as Address;

/** The address `floats` float32 values further on. */
export const offset = (address: Address, floats: number): Address => (address + FLOAT * floats) as Address;
