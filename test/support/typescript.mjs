// `node --import ./test/support/typescript.mjs file.ts`: our TypeScript in plain node, by the same compiler and
// options as in jest. Inside jest every await costs five times as much, since its async hooks are on.
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
