/** How large may a response's output become? Its last event repeats all of it. */

/**
 * Texts of one answer, as JSON: its last event repeats all of them beside what the request says, and a journal's event
 * holds 500,000. An answer that grows over it ends as `incomplete`.
 */
export const maxOutputUnits = 300_000;

/** Of these, what the texts cite, as JSON: an address of the web may be a thousand times as long as its mark. */
export const maxAnnotationUnits = 60_000;

/** Annotations of one text: an answer may repeat `[1]` as often as it likes, and each is told three times. */
export const mostAnnotations = 200;
