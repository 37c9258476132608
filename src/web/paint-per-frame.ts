/** Tokens come faster than frames, so they are painted together, once in each frame. */
export function paintPerFrame(paint: (text: string, reasoning: string) => void) {
  let text = "";
  let reasoning = "";
  let frame = 0;
  const flush = (): void => {
    cancelAnimationFrame(frame);
    frame = 0;
    if (text === "" && reasoning === "") return;
    paint(text, reasoning);
    text = "";
    reasoning = "";
  };
  return {
    add(moreText: string, moreReasoning: string): void {
      text += moreText;
      reasoning += moreReasoning;
      if (frame === 0) frame = requestAnimationFrame(flush);
    },
    flush,
  };
}
