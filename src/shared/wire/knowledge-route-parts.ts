/** Parts that the entries of files and of vector stores in the route table share. */

export const visibility = "`tenant`: what is the whole tenant's, in place of your own.";
export const pages = {
  limit: "1 to 100; 20 where absent.",
  order: "`desc` (newest first, the default) or `asc`.",
  after: "An id: the page begins behind it.",
  before: "An id: the page ends ahead of it.",
};
