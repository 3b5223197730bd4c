import { Injectable } from '@nestjs/common';

/** The requests whose senders may see the details of health. */
@Injectable()
export class DetailsReaders {
  private readonly requests = new WeakSet<object>();

  add(request: object): void {
    this.requests.add(request);
  }

  has(request: object): boolean {
    return this.requests.has(request);
  }
}
