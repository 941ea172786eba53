/** Properties of a product: the layout of its factors, and its sides. */

/** Which factors are stored transposed. All rows are contiguous. */
export const LAYOUTS = ['plain', 'second-transposed', 'first-transposed'] as const;
export type Layout = (typeof LAYOUTS)[number];

export interface ProductSizes {
  readonly layout: Layout;
  /** Of the result. */
  readonly rows: number;
  readonly columns: number;
  /** Length of each sum. */
  readonly depth: number;
}
