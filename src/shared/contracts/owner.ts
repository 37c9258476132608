/** Who owns an object. Checked twice: by the tag or name that leads to the object, and again inside it. */
export interface Owner {
  readonly tenant: string;
  readonly user: string;
}

export function sameOwner(left: Owner, right: Owner): boolean {
  return left.tenant === right.tenant && left.user === right.user;
}

/** Where an object may live. Chooses the namespace, so it is part of every object's id. */
export type Jurisdiction = "none" | "eu";
