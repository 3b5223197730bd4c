// `npm run build && node test/bench/health-sample.mjs`: what one sample of the health takes of the
// processor in milliseconds, with many more breakers, bulkheads and metrics than an application has. Aim: under 100 ms.
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { HealthMetric, HealthMonitor, ResilienceModule, ResilienceService } from 'nestjs-bulwark';

const NAMES = 1_000;
const METRICS = 50;
const SAMPLES = 300;

class Figures {}
for (let i = 0; i < METRICS; i += 1) {
  const key = `read${i}`;
  const value = i % 2 === 0 ? () => i : async () => i;
  Object.defineProperty(Figures.prototype, key, { value, configurable: true });
  const descriptor = Object.getOwnPropertyDescriptor(Figures.prototype, key);
  HealthMetric(`metric ${i}`, { warn: 40, critical: 100 })(Figures.prototype, key, descriptor);
}

const app = await NestFactory.createApplicationContext(
  { module: class App {}, imports: [ResilienceModule.forRoot()], providers: [Figures] },
  { logger: false },
);
const service = app.get(ResilienceService);
for (let i = 0; i < NAMES; i += 1) {
  const policies = { circuitBreaker: { failureThreshold: 1, openFor: 600_000 }, bulkhead: {} };
  const call = i % 3 === 0 ? () => Promise.reject(new Error('down')) : async () => i;
  await service.execute(`n${i}`, call, policies).catch(() => {});
}

const monitor = app.get(HealthMonitor);
const times = [];
for (let i = 0; i < SAMPLES; i += 1) {
  const began = process.cpuUsage();
  await monitor.sample(); // past the second in which one sample is good for all
  const { user, system } = process.cpuUsage(began);
  times.push((user + system) / 1_000);
}
await app.close();

times.sort((a, b) => a - b);
const at = (share) => Number(times[Math.ceil(share * SAMPLES) - 1].toFixed(3));
console.log(
  JSON.stringify({
    breakers: NAMES,
    bulkheads: NAMES,
    metrics: METRICS,
    p50: at(0.5),
    p99: at(0.99),
    max: at(1),
  }),
);
