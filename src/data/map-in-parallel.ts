import { countWork } from '../common/work.js';

/**
 * Maps items with a bounded number of them under way: a folder may have more files than the system lets a process open at
 * once. The results are in the items' order.
 */
export async function mapInParallel<Item, T>(
  items: readonly Item[],
  atOnce: number,
  map: (item: Item) => Promise<T>,
): Promise<T[]> {
  const results = new Array<T>(items.length);
  let next = 0;
  const work = async (): Promise<void> => {
    for (let i = next++; i < items.length; i = next++) {
      results[i] = await map(items[i]!);
      countWork();
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work));
  return results;
}
