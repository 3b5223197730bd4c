import { HttpException } from '@nestjs/common';

/** The controller refused a request; what it says may be read by the caller. */
export class Refusal extends HttpException {
  constructor(
    status: number,
    readonly code: string,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
    /** More that the caller is told. */
    readonly facts: object = {},
  ) {
    super({ success: false, code, message }, status);
    this.message = message;
  }
}
