import type { RefusalReason } from '../transaction/transaction-refused.error.js';

type ProtocolReason =
  'parse-error' | 'invalid-request' | 'unknown-method' | 'invalid-params' | 'internal-error';

export type RpcReason =
  | ProtocolReason
  | RefusalReason
  | 'overloaded'
  | 'storage-unavailable'
  | 'read-only'
  | 'unconfirmed'
  | 'rate-limited';

/** One number for each reason; those down to -32700 are fixed by JSON-RPC, the others are ours. */
export const RPC_CODES: Readonly<Record<RpcReason, number>> = {
  'parse-error': -32_700,
  'invalid-request': -32_600,
  'unknown-method': -32_601,
  'invalid-params': -32_602,
  'internal-error': -32_603,
  malformed: -32_001,
  unsigned: -32_002,
  'bad-signature': -32_003,
  replayed: -32_004,
  'insufficient-funds': -32_005,
  'fee-above-maximum': -32_006,
  'compliance-refused': -32_007,
  'compliance-unavailable': -32_008,
  'mempool-full': -32_009,
  overloaded: -32_010,
  'weak-key': -32_011,
  'storage-unavailable': -32_012,
  expired: -32_013,
  'read-only': -32_014,
  unconfirmed: -32_015,
  'rate-limited': -32_016,
};

export interface RpcErrorBody {
  readonly code: number;
  readonly message: string;
  readonly data: { readonly reason: RpcReason } & Readonly<Record<string, string | number>>;
}

export class RpcError extends Error {
  override readonly name = 'RpcError';

  constructor(
    readonly reason: RpcReason,
    message: string,
    readonly facts: Readonly<Record<string, string | number>> = {},
    /** 200 where HTTP did its part, whatever came of the call. */
    readonly httpStatus = 200,
  ) {
    super(message);
  }

  get body(): RpcErrorBody {
    const { reason, message, facts } = this;
    return { code: RPC_CODES[reason], message, data: { ...facts, reason } };
  }
}
