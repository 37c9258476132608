import { LateCode } from "./late-code.ts";

/** The code for saved chats, requested as soon as a user is signed in. */
export const keptCode = new LateCode(async () => import("./kept-chats.ts"));
