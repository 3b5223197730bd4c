// Where figures come from, as far as it says what they mean: never who or where.
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';

const PACKAGES = ['@nestjs/core', 'rxjs', 'cockatiel', 'opossum', 'nestjs-resilience', 'mitata'];

const versionOf = (name) => {
  const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')).version;
};

export function environment() {
  const [cpu] = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpu?.model ?? 'unknown processor'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB`,
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    packages: Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
  };
}
