/** The numbers of a scrape, each by its name and labels as they stand there. */
export function numbers(text: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const at = line.lastIndexOf(" ");
    const name = line.slice(0, at);
    if (found.has(name)) throw new Error(`twice: ${name}`);
    found.set(name, Number(line.slice(at + 1)));
  }
  return found;
}
