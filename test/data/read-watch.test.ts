import { ReadWatch } from '../../src/data/read-watch.js';
import { sampleSplitOf } from '../../src/data/split.js';

/** A wait that ends when the test says so. */
function watched() {
  let [renewed, running] = [0, 0];
  let onEnd = (): void => undefined;
  const reads = new ReadWatch((_seconds, act) => {
    running += 1;
    onEnd = act;
    return { renew: () => (renewed += 1), end: () => (running -= 1) };
  });
  return {
    reads,
    minuteWithoutAnswer: () => {
      onEnd();
    },
    renewed: () => renewed,
    running: () => running,
  };
}

const image = { data: new Uint8Array(3), height: 1, width: 1 };

it('gives up reads that are not answered, naming the file; trying again may help', async () => {
  const { reads, minuteWithoutAnswer } = watched();
  const split = sampleSplitOf<number>(
    {
      labels: Uint32Array.of(0, 0),
      read: () => new Promise(() => undefined),
      names: { image: (i) => `/nfs/${i}.png`, class: String },
    },
    reads,
  );
  const read = split.read(1);
  minuteWithoutAnswer();
  await expect(read).rejects.toMatchObject({
    failure: 'lost',
    message: expect.stringContaining('/nfs/1.png') as string,
  });
});

it('waits anew with each answer, for as long as there are answers', async () => {
  const { reads, renewed, minuteWithoutAnswer, running } = watched();
  const answers: (() => void)[] = [];
  const read = (): Promise<string> =>
    reads.watch(
      () => 'x',
      new Promise((resolve) =>
        answers.push(() => {
          resolve('read');
        }),
      ),
    );
  const [first, second] = [read(), read()];
  answers[0]!();
  expect(await first).toBe('read');
  expect(renewed()).toBe(1);
  answers[1]!();
  expect(await second).toBe('read');
  minuteWithoutAnswer(); // nothing is read any more
  expect(running()).toBe(0);
});

it('passes the failure of a read on', async () => {
  const split = sampleSplitOf<number>({ labels: Uint32Array.of(0), read: () => Promise.reject(new Error('EIO')) });
  await expect(split.read(0)).rejects.toThrow('EIO');
  const undecodable = sampleSplitOf({
    labels: Uint32Array.of(0, 0),
    read: (i) => Promise.resolve(i === 0 ? null : { image, target: 3 }),
  });
  await expect(undecodable.read(1)).resolves.toMatchObject({ target: 3 });
});
