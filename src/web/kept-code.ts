import { LateCode } from "./late-code.ts";

/** For whoever shows what the server keeps: asked for as soon as somebody is signed in. */
export const keptCode = new LateCode(async () => import("./kept-chats.ts"));
