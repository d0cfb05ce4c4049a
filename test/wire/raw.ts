// Bytes of values, as no writer makes them.

export const latin = (text: string): Buffer => Buffer.from(text, "latin1");

/** So many times this text. */
export const times = (count: number, text: string): Buffer => Buffer.alloc(count * text.length, latin(text));

/** As many whole times as there is room for in so many bytes. */
export const filling = (bytes: number, text: string): Buffer => times(Math.floor(bytes / text.length), text);

/** A pickled list that is doubled so many times by the memo: 2^`count` values in few bytes. */
export function doubled(count: number): string {
  let text = "]q\0";
  for (let i = 1; i <= count; i++) {
    const [before, now] = [String.fromCharCode(i - 1), String.fromCharCode(i)];
    text += `0](h${before}h${before}eq${now}`;
  }
  return text;
}
