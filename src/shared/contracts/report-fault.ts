/**
 * Reports a fault to the operator that no caller caused: a corrupt entry, a key set that can't be fetched. `detail` says where, and never
 * holds content or secrets.
 */
export type ReportFault = (component: string, detail: string) => void;
