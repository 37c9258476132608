/**
 * Tells the operator that something is wrong which no caller is to blame for (a corrupt entry, a key set that can't be
 * fetched). `detail` names the place, never content or secrets.
 */
export type ReportFault = (component: string, detail: string) => void;
