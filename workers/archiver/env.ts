/** What workers/archiver/wrangler.toml binds. Only index.ts sees it. */
export interface ArchiverEnv {
  /** PostgreSQL, its connections pooled near it. */
  readonly HYPERDRIVE: Hyperdrive;
  /** Content over 100 KB. */
  readonly ARCHIVE_OBJECTS?: R2Bucket;
}
