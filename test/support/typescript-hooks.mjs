// The loader behind `typescript.mjs`.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { transformFile } from '@swc/core';
import jest from '../../jest.config.js';

const [[, options]] = Object.values(jest.transform);

export async function resolve(specifier, context, next) {
  const isOurs = specifier.startsWith('.') && specifier.endsWith('.js');
  if (isOurs && context.parentURL?.endsWith('.ts')) {
    const url = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
    if (existsSync(url)) return { url: url.href, format: 'module', shortCircuit: true };
  }
  return next(specifier, context);
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const { isModule: _, ...forSwc } = options;
  const { code } = await transformFile(fileURLToPath(url), { ...forSwc, swcrc: false });
  return { format: 'module', source: code, shortCircuit: true };
}
