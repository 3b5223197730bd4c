import type { Provider } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { ApplicationRuntime } from './application-runtime.js';
import { RUNTIME_TOKEN, RuntimeHolder } from './binding.js';
import { allWrappers } from './wrappers.js';

// factories, not values: two applications made from one module class must not share a holder

/** The configuration is a value, so the runtime can be there before the first instance that needs it. */
export const earlyHolder: Provider = {
  provide: RUNTIME_TOKEN,
  inject: [ModulesContainer, ApplicationRuntime],
  useFactory(modules: ModulesContainer, runtime: ApplicationRuntime) {
    const holder = holderOf(modules);
    runtime.serve(holder);
    return holder;
  },
};

/** The configuration comes from providers that may have decorated methods: they cannot wait for it. */
export const lateHolder: Provider = {
  provide: RUNTIME_TOKEN,
  inject: [ModulesContainer],
  useFactory: holderOf,
};

function holderOf(modules: ModulesContainer): RuntimeHolder {
  return new RuntimeHolder((instance) =>
    allWrappers(modules).some((wrapper) => wrapper.instance === instance),
  );
}
