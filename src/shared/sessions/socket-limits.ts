/** The bounds of one socket: what each bounds, and what would happen without it. Tried in durable-objects/session. */
export const socketLimits = {
  /** How long one lives, as OpenAI's: whatever lists it is cleared by then, also where nobody said that it is gone. */
  lifeMs: 3_600_000,
  /**
   * Bytes sent since the client was last heard. workerd tells nobody how much of it has left the machine: a client that
   * does not read would have all of it kept in memory, of which an isolate has 128 MB. About 9,000 tokens as events.
   */
  aheadBytes: 2_097_152,
  /** How long a client that is so far behind is waited for; its journal goes on without it. */
  patienceMs: 5_000,
  /** Lanes (`stream_id`) at once. Each reads a journal of its own. */
  lanes: 8,
  /** Messages waiting in all lanes. */
  waiting: 32,
  /** Lanes whose newest response is kept, though it is not to be stored, since the lane may go on from it. */
  unkept: 32,
  /** Answers that one socket may read again: they cost no tokens, so nothing else bounds them. */
  resumes: 32,
  /** Messages of one socket that could not be read: they are admitted by no limit, and each is answered. */
  wrong: 64,
  /** Sockets of one user, and of one org: each is an object, and is told of every revocation. */
  perUser: 128,
  perOrg: 4096,
} as const;
