import { DurableObject } from "cloudflare:workers";

export class Generation extends DurableObject {}
