export { MemoryCheckpointStore } from '../checkpoint/stores/memory-checkpoint-store.js';
export {
  CrashFileSystem,
  MachineOff,
  type DiskCall,
  type PowerCut,
} from './checkpoint/crash-file-system.js';
export {
  type FileCall,
  type FileHook,
  observeFileSystem,
} from './checkpoint/observe-file-system.js';
export { checkpointStoreContract, type TestFunction } from './checkpoint/store-contract.js';
export { EventRecorder } from './event-recorder.js';
export { FakeClock, settle } from './fake-clock.js';
export { type Fakes, withFakes } from './fakes.js';
export { NoOpResilienceModule } from './no-op.module.js';
export { seededRandom } from './seeded-random.js';
export { type Application, forceState, type ForceOptions, resetAll } from './steering.js';
