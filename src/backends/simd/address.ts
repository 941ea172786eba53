/**
 * Addresses in the shared memory, as a separate type: code that passes a size or a stride as an address does not
 * compile.
 */

declare const isAddress: unique symbol;

/** A byte offset in the shared memory. */
export type Address = number & { readonly [isAddress]: true };

/** Bytes of a float32. */
export const FLOAT = 4;

/** Bytes of a bfloat16. */
export const BFLOAT16 = 2;

/** The value of an omitted address argument: no tensor has this address. */
export const NONE = 0 as Address;

/** The address `floats` float32 values further on. */
export const offset = (address: Address, floats: number): Address => (address + FLOAT * floats) as Address;

/** The address `values` bfloat16 values further on. */
export const offsetRounded = (address: Address, values: number): Address => (address + BFLOAT16 * values) as Address;
