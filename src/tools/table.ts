/** Rows under a head, each column as wide as it must be; numbers stand right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number | undefined)[])[]): string[] {
  const cells = rows.map((row) =>
    row.map((cell) => (typeof cell === "number" ? cell.toLocaleString("en") : (cell ?? "-"))),
  );
  const isNumeric = head.map((_, column) => rows.every((row) => typeof row[column] !== "string"));
  const widths = head.map((name, column) => Math.max(name.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return isNumeric[column] === true ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd();
  return [line(head), ...cells.map(line)];
}
