/**
 * Which users of a tenant have an object of this kind? The tenant's own object keeps the roll, so that an erasure of the tenant reaches all its
 * users; a user's object knows its enrolment there. Only if its two tables exist.
 */
export const rollTables = `
   CREATE TABLE membership (
     only_row INTEGER PRIMARY KEY CHECK (only_row = 1), enrolment TEXT, leaving TEXT,
     closed_until_ms INTEGER NOT NULL DEFAULT 0);
   INSERT INTO membership (only_row) VALUES (1);
   CREATE TABLE member (user TEXT PRIMARY KEY, enrolment TEXT NOT NULL, doomed_ms INTEGER) WITHOUT ROWID;`;

interface Membership {
  /** In a user's object: its enrolment with the tenant's; `null`: not yet, or no longer. */
  readonly enrolment: string | null;
  /** An ended enrolment that the tenant's object is still to be told of. */
  readonly leaving: string | null;
  /** In a tenant's object: until then no user creates anything new. */
  readonly closedUntilMs: number;
}

export interface Member {
  readonly user: string;
  readonly enrolment: string;
}

/** One that is to be erased, since then. */
export interface DoomedMember extends Member {
  readonly doomedMs: number;
}

export class RollStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  membership(): Membership {
    const {
      enrolment,
      leaving,
      closed_until_ms: closedUntilMs,
    } = this.#sql
      .exec<{ enrolment: string | null; leaving: string | null; closed_until_ms: number }>(
        "SELECT enrolment, leaving, closed_until_ms FROM membership",
      )
      .one();
    return { enrolment, leaving, closedUntilMs };
  }

  enrolled(enrolment: string): void {
    this.#sql.exec("UPDATE membership SET enrolment = ?", enrolment);
  }

  /** A later write enrols anew. */
  leaves(): void {
    this.#sql.exec("UPDATE membership SET leaving = enrolment, enrolment = NULL WHERE enrolment IS NOT NULL");
  }

  left(leaving: string): void {
    this.#sql.exec("UPDATE membership SET leaving = NULL WHERE leaving = ?", leaving);
  }

  close(untilMs: number): void {
    this.#sql.exec("UPDATE membership SET closed_until_ms = max(closed_until_ms, ?)", untilMs);
  }

  /** Ends the closure until this time; a later one stays. */
  reopen(untilMs: number): void {
    this.#sql.exec("UPDATE membership SET closed_until_ms = 0 WHERE closed_until_ms = ?", untilMs);
  }

  /** A user's later enrolment takes the place of an earlier one. */
  enrol({ user, enrolment }: Member): void {
    this.#sql.exec("INSERT OR REPLACE INTO member (user, enrolment) VALUES (?, ?)", user, enrolment);
  }

  /** Only this enrolment: a later one stays. */
  strike({ user, enrolment }: Member): void {
    this.#sql.exec("DELETE FROM member WHERE user = ? AND enrolment = ?", user, enrolment);
  }

  /** It was erased. If it was doomed again since, it stays doomed. */
  spare({ user, enrolment, doomedMs }: DoomedMember): void {
    this.#sql.exec(
      "UPDATE member SET doomed_ms = NULL WHERE user = ? AND enrolment = ? AND doomed_ms = ?",
      user,
      enrolment,
      doomedMs,
    );
  }

  /** Dooms everything that the enrolled users created by then; a later time that is noted already stays. */
  doom(throughMs: number): void {
    this.#sql.exec("UPDATE member SET doomed_ms = max(coalesce(doomed_ms, 0), ?)", throughMs);
  }

  /** In the order of their names. */
  doomed(after: string, limit: number): DoomedMember[] {
    return this.#sql
      .exec<{ user: string; enrolment: string; doomed_ms: number }>(
        "SELECT user, enrolment, doomed_ms FROM member WHERE doomed_ms IS NOT NULL AND user > ? ORDER BY user LIMIT ?",
        after,
        limit,
      )
      .toArray()
      .map(({ doomed_ms: doomedMs, ...member }) => ({ ...member, doomedMs }));
  }

  doomedCount(): number {
    return this.#count("SELECT count(*) AS n FROM member WHERE doomed_ms IS NOT NULL");
  }

  count(): number {
    return this.#count("SELECT count(*) AS n FROM member");
  }

  #count(query: string): number {
    return this.#sql.exec<{ n: number }>(query).one().n;
  }
}
