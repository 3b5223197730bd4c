// Who is measured. Each answers a map from case to what makes the function of one call; a case it has no
// such thing for is missing. Nothing is loaded before a contender is asked for.
export const contenders = {
  bare: async () => (await import('./contenders/bare.mjs')).bare(),
  ours: async () => (await import('./contenders/ours.mjs')).ours(),
  cockatiel: async () => (await import('./contenders/cockatiel.mjs')).cockatiel(),
  opossum: async () => (await import('./contenders/opossum.mjs')).opossum(),
  'nestjs-resilience': async () =>
    (await import('./contenders/nestjs-resilience.mjs')).nestjsResilience(),
  rxjs: async () => (await import('./contenders/rxjs.mjs')).rxjs(),
};
