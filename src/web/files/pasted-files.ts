/** Files that come with what is pasted into the field. */

/**
 * Of what is pasted: files, unless there is text as well (a spreadsheet's cells come as a picture, too). Files that were copied as such
 * bring their names as text on some systems.
 */
export function pastedFiles(data: Pick<DataTransfer, "files" | "getData">): readonly File[] {
  const files = [...data.files];
  const lines = data
    .getData("text/plain")
    .trim()
    .split(/[\r\n]+/);
  const isText = lines.some((line) => line !== "" && !files.some(({ name }) => name === line));
  return isText ? [] : files;
}
