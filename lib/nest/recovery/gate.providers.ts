import type { Provider, Type } from '@nestjs/common';
import { RECOVERY_CONTROLLER } from './access/operations.js';
import { RecoveryAccess } from './access/recovery-access.js';
import { Visits } from './access/visits.js';
import { BreakerDesk } from './breaker-desk.js';
import { EventFeed } from './event-feed.js';
import { describeToSwagger } from './openapi.js';
import { RecoveryDesk } from './recovery-desk.js';
import { RecoveryMount } from './recovery-mount.js';
import { ShutdownRoute } from './shutdown-route.js';

/** What the recovery controller is made of. @param controller undefined where none is mounted */
export function gateProviders(controller: Type | undefined): Provider[] {
  return [
    // a document may be made as soon as everything is constructed, and needs the descriptions by then
    {
      provide: RECOVERY_CONTROLLER,
      useFactory: async () => {
        if (controller !== undefined) await describeToSwagger(controller);
        return controller;
      },
    },
    RecoveryAccess,
    Visits,
    RecoveryDesk,
    BreakerDesk,
    EventFeed,
    ShutdownRoute,
    RecoveryMount,
  ];
}
