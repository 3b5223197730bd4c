/** Messages as drivers, clients and servers write them, by kind: what templates are measured on. */
export const KINDS: readonly { readonly kind: string; readonly messages: readonly string[] }[] = [
  {
    kind: 'refused',
    messages: ['connect ECONNREFUSED 10.0.0.7:5432', 'connect ECONNREFUSED 10.0.3.1:6379'],
  },
  {
    kind: 'refused over IPv6',
    messages: ['connect ECONNREFUSED ::1:5432', 'connect ECONNREFUSED fe80::1:80'],
  },
  { kind: 'reset', messages: ['read ECONNRESET', 'read ECONNRESET'] },
  {
    kind: 'dns',
    messages: ['getaddrinfo ENOTFOUND db-1.internal', 'getaddrinfo ENOTFOUND db-22.internal'],
  },
  {
    kind: 'http',
    messages: ['Request failed with status code 503', 'Request failed with status code 500'],
  },
  { kind: 'timeout', messages: ['timeout of 1000ms exceeded', 'timeout of 25ms exceeded'] },
  {
    kind: 'unique',
    messages: [
      'duplicate key value violates unique constraint "users_mail"',
      'duplicate key value violates unique constraint "orders_pk"',
    ],
  },
  { kind: 'missing column', messages: ['column "a" does not exist', 'column "b" does not exist'] },
  { kind: 'deadlock', messages: ['deadlock detected', 'deadlock detected'] },
  {
    kind: 'E11000',
    messages: [
      'E11000 duplicate key error collection: shop.users index: _id_ dup key: { _id: 5 }',
      'E11000 duplicate key error collection: shop.users index: _id_ dup key: { _id: 77 }',
    ],
  },
  {
    kind: 'file',
    messages: [
      "ENOENT: no such file or directory, open '/tmp/a'",
      "ENOENT: no such file or directory, open '/var/b c'",
    ],
  },
  {
    kind: 'property',
    messages: [
      "Cannot read properties of undefined (reading 'x')",
      "Cannot read properties of undefined (reading 'name')",
    ],
  },
  {
    kind: 'json',
    messages: [
      `Unexpected token '<', "<!DOCTYPE "... is not valid JSON`,
      `Unexpected token 'h', "hello" is not valid JSON`,
    ],
  },
  {
    kind: 'order',
    messages: [
      'Order 6f1ed002-ab5a-4d7a-8c1b-0123456789ab not found',
      'Order 7a1ed002-ab5a-4d7a-8c1b-0123456789ff not found',
    ],
  },
  {
    kind: 'object id',
    messages: [
      'Cast failed for 507f1f77bcf86cd799439011',
      'Cast failed for 507f191e810c19729de860ea',
    ],
  },
  {
    kind: 'url',
    messages: [
      'Navigation to https://a.example/x?y=1 failed',
      'Navigation to http://b.example/ failed',
    ],
  },
  {
    kind: 'mail',
    messages: ['550 <a@b.org>: Recipient rejected', '551 <c.d@e.com>: Recipient rejected'],
  },
  { kind: 'moved', messages: ['MOVED 3999 127.0.0.1:6381', 'MOVED 12 10.0.0.1:7000'] },
  {
    kind: 'balance',
    messages: ['insufficient funds: 12.50 of 100', 'insufficient funds: 0.1 of 7'],
  },
  {
    kind: 'transaction',
    messages: [
      'tx 9f86d081884c7d659a2feaa0c55ad015 rejected',
      'tx 1a79a4d60de6718e8e5b326e338ae533 rejected',
    ],
  },
  {
    kind: 'when',
    messages: ['no data since 2024-01-02T03:04:05Z', 'no data since 2025-11-22T13:14:15Z'],
  },
  { kind: 'a bare name', messages: ['user alice not found', 'user bob not found'] },
];
