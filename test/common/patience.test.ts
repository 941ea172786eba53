import { patience } from '../../src/common/patience.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a wait that nothing renews ends', async () => {
  const timer = setInterval(() => undefined, 1000); // a patience keeps no process alive
  await new Promise<void>((resolve) => {
    const wait = patience(0.02, () => {
      wait.end();
      resolve();
    });
  });
  clearInterval(timer);
});

test('time without a turn of the event loop does not end a wait', async () => {
  let ended = false;
  const wait = patience(0.02, () => (ended = true));
  const begin = performance.now();
  while (performance.now() - begin < 100); // computes
  await turn();
  expect(ended).toBe(false);
  wait.end();
});

test('a wait without an end has no timer', () => {
  expect(() => {
    patience(Infinity, () => undefined).end();
  }).not.toThrow();
});
