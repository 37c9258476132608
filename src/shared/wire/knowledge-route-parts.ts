/** Shared parts of the route table's entries for files and vector stores. */

export const visibility = "`tenant`: what is the whole tenant's, in place of your own.";
export const pages = {
  limit: "1 to 100; 20 where absent.",
  order: "`desc` (newest first, the default) or `asc`.",
  after: "An id: the page begins behind it.",
  before: "An id: the page ends ahead of it.",
};
