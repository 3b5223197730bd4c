/** The names that are given to checkpoints made by recovery itself, by what they are for. */
export const AUTOMATIC = {
  scheduled: 'scheduled-',
  beforeRestore: 'before-restore-',
  quarantine: 'quarantine-',
} as const;

export type AutomaticKind = keyof typeof AUTOMATIC;

/** What a checkpoint made by recovery itself is for; undefined for one with a name of somebody's. */
export function automaticKindOf(name: string): AutomaticKind | undefined {
  const kinds = Object.keys(AUTOMATIC) as AutomaticKind[];
  return kinds.find((kind) => name.startsWith(AUTOMATIC[kind]));
}
