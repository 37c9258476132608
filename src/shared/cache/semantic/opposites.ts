/**
 * Pairs of words that reverse a question's meaning when one replaces the other. A question that contains such a word is only answered from
 * one that contains the same word. The list need not be complete: with the lexical embedder every word counts anyway.
 */
export const opposites: ReadonlySet<string> = new Set(
  [
    "increase decrease raise lower reduce grow shrink gain lose win more less most least fewer better worse best worst",
    "maximum minimum max min high low higher lower highest lowest big small large long short fast slow young old new",
    "before after first last begin end start stop open close enable disable allow deny accept reject include exclude",
    "buy sell lend borrow import export push pull upload download encode decode encrypt decrypt compress extract",
    "install uninstall add remove insert delete create destroy connect disconnect mount unmount lock unlock",
    "left right up down above below inside outside in out on off over under north south east west front back",
    "with without from into against pro con advantage disadvantage benefit drawback strength weakness cause effect",
    "legal illegal safe unsafe dangerous possible impossible true false right wrong good bad healthy unhealthy",
    "male female man woman men women boy girl husband wife father mother son daughter his her",
    "hot cold wet dry cheap expensive free paid rich poor same different similar positive negative public private",
    "can should must may will would did was were had yesterday today tomorrow past future",
    "not no never none nothing nobody neither nor without hardly unable except only",
  ]
    .join(" ")
    .split(" "),
);

/** Beginnings that turn a word into its opposite. */
export const turning = /^(?:un|in|im|il|ir|dis|non|anti|mis|de)(?=[a-z]{4})/;
