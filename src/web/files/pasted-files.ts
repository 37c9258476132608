/** Files pasted into the field. */

/**
 * The files in pasted data, unless there is also text (a spreadsheet's cells come as text and as a picture). On some systems copied files
 * bring their names as text.
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
