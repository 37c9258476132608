/**
 * In which order are the pieces of a PDF's line read? Most writers set them from left to right, whatever the script: of Hebrew and Arabic
 * each piece then reads right, and the line from its end. So where letters that are read from the right are the most, the pieces are put in
 * order from the right; those of Latin words among them stay as they stand. Elsewhere only runs of such pieces are turned.
 */
interface Piece {
  readonly str: string;
  readonly transform: readonly number[];
  readonly dir?: string;
}

export function inReadingOrder<One extends Piece>(pieces: readonly One[]): readonly One[] {
  let right = 0;
  let left = 0;
  for (const { str, dir } of pieces)
    if (dir === "rtl") right += str.length;
    else if (/\p{L}/u.test(str)) left += str.length;
  if (right === 0) return pieces;
  return right > left ? fromRight(pieces) : runsTurned(pieces, isFromRight, leftOf);
}

function fromRight<One extends Piece>(pieces: readonly One[]): readonly One[] {
  const ordered = pieces.toSorted((one, other) => leftOf(other) - leftOf(one));
  return runsTurned(
    ordered,
    (piece) => !isFromRight(piece),
    (piece) => -leftOf(piece),
  );
}

/** Those that follow each other, blanks between them included, from the last to the first, where they stand in the order of `place`. */
function runsTurned<One extends Piece>(
  pieces: readonly One[],
  isOfRun: (piece: One) => boolean,
  place: (piece: One) => number,
): readonly One[] {
  const turned: One[] = [];
  let run: One[] = [];
  const end = (): void => {
    // Blanks behind the last are none of the run.
    const last = run.findLastIndex((piece) => !isBlank(piece));
    const own = run.slice(0, last + 1);
    const first = own[0];
    const final = own.at(-1);
    const isInOrder = first !== undefined && final !== undefined && place(first) <= place(final);
    turned.push(...(isInOrder ? own.toReversed() : own), ...run.slice(last + 1));
    run = [];
  };
  for (const piece of pieces) {
    if (isBlank(piece) ? run.length > 0 : isOfRun(piece)) run.push(piece);
    else {
      end();
      turned.push(piece);
    }
  }
  end();
  return turned;
}

function isFromRight({ dir }: Piece): boolean {
  return dir === "rtl";
}

function isBlank({ str }: Piece): boolean {
  return str.trim() === "";
}

function leftOf({ transform }: Piece): number {
  return transform[4] ?? 0;
}
