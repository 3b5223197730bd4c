// What the tests use of the object `jest`.
import { ModernFakeTimers } from '@jest/fake-timers';
import { ModuleMocker } from 'jest-mock';

const mocker = new ModuleMocker(globalThis);
const timers = new ModernFakeTimers({ global: globalThis, config: { fakeTimers: {} } });

export const jest = {
  // this process is no sandbox of jest's: Node itself and Stryker live on its ticks
  useFakeTimers: () => timers.useFakeTimers({ doNotFake: ['nextTick'] }),
  useRealTimers: () => timers.useRealTimers(),
  advanceTimersByTime: (ms) => timers.advanceTimersByTime(ms),
  advanceTimersByTimeAsync: (ms) => timers.advanceTimersByTimeAsync(ms),
  getTimerCount: () => timers.getTimerCount(),
  setSystemTime: (now) => timers.setSystemTime(now),
  spyOn: (object, key) => mocker.spyOn(object, key),
};

export function undoSpies() {
  mocker.restoreAllMocks();
}
