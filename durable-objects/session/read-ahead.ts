import { socketLimits } from "../../src/shared/sessions/socket-limits.ts";
import { Bell } from "../storage/bell.ts";

/** How far may a socket's events run ahead of its client? workerd does not tell how much was read; only the client does. */
export class ReadAhead {
  readonly #heard = new Bell();
  /** Sent since the client was last heard. */
  #bytes = 0;

  heard(): void {
    this.#bytes = 0;
    this.#heard.ring();
  }

  /** The socket is gone: waiting ends. */
  leave(): void {
    this.#heard.ring();
  }

  /**
   * Waits for the client to be heard, where so much was sent since it last was; `false`: it was not. Counted here, before
   * another lane finds the same room.
   *
   * @param pingedMs when the platform last answered a heartbeat of the client, which it only tells when asked
   */
  async takesRoom(bytes: number, pingedMs: () => number): Promise<boolean> {
    while (this.#bytes > 0 && this.#bytes + bytes > socketLimits.aheadBytes) {
      const sinceMs = Date.now();
      if (await this.#heard.within(socketLimits.patienceMs)) continue;
      if (pingedMs() < sinceMs) return false;
      this.#bytes = 0;
    }
    this.#bytes += bytes;
    return true;
  }
}
