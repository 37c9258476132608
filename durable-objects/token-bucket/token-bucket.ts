import { DurableObject } from "cloudflare:workers";

export class TokenBucket extends DurableObject {}
