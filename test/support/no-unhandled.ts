// #97 in every spec file: a rejection or an exception that nobody handles fails the file it happens in.
const found: unknown[] = [];
const note = (error: unknown): void => {
  found.push(error);
};

beforeAll(() => {
  process.on('unhandledRejection', note);
  process.on('uncaughtExceptionMonitor', note);
});

afterAll(async () => {
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', note);
  process.off('uncaughtExceptionMonitor', note);
  expect(found).toEqual([]);
});
