export { EventRecorder } from './event-recorder.js';
export { FakeClock, settle } from './fake-clock.js';
export { NoOpResilienceModule } from './no-op.module.js';
export { seededRandom } from './seeded-random.js';
