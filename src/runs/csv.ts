/** CSV as in RFC 4180: read with a comma or a semicolon, quoted fields, any line end, a byte-order mark; written with commas. */

export interface CsvTable {
  readonly header: readonly string[];
  /** Cells by column name; `line` is the line of the file where the row begins. */
  readonly rows: readonly { readonly line: number; readonly cells: Readonly<Record<string, string>> }[];
}

/** @throws Error naming the line of an unclosed quote or of a row of another length */
export function parseCsv(text: string): CsvTable {
  const source = text.startsWith("\uFEFF") ? text.slice(1) : text;
  const firstLine = source.split(/\r?\n/, 1)[0] ?? "";
  const separator = firstLine.includes(";") && !firstLine.includes(",") ? ";" : ",";
  const records = splitRecords(source, separator);
  const header = (records[0]?.fields ?? []).map((name) => name.trim());
  const rows = records.slice(1).map(({ line, fields }) => {
    if (fields.length !== header.length)
      throw new Error(`line ${line}: ${fields.length} fields under ${header.length} columns`);
    return { line, cells: Object.fromEntries(header.map((name, i) => [name, fields[i]!])) };
  });
  return { header, rows };
}

function splitRecords(source: string, separator: string): { line: number; fields: string[] }[] {
  const records: { line: number; fields: string[] }[] = [];
  let [line, begun] = [1, 1];
  let fields: string[] = [];
  let field = "";
  let quoted = false;
  // The field had quotes: it ends at the closing one, and an empty one is a value.
  let closed = false;
  const endField = () => {
    fields.push(field);
    field = "";
    closed = false;
  };
  const endRecord = () => {
    // A line with nothing on it is no row.
    const blank = fields.length === 0 && field === "" && !closed;
    endField();
    if (!blank) records.push({ line: begun, fields });
    fields = [];
  };
  for (let i = 0; i < source.length; i++) {
    const c = source[i]!;
    if (c === "\n") line++;
    if (quoted) {
      if (c !== '"') field += c;
      else if (source[i + 1] === '"') field += source[++i];
      else [quoted, closed] = [false, true];
    } else if (c === '"' && field === "" && !closed) quoted = true;
    else if (c === separator) endField();
    else if (c === "\n" || (c === "\r" && source[i + 1] !== "\n")) {
      endRecord();
      begun = line;
    } else if (c !== "\r") {
      if (closed) throw new Error(`line ${line}: ${JSON.stringify(c)} after a closing quote`);
      field += c;
    }
  }
  if (quoted) throw new Error(`line ${begun}: a quote that is never closed`);
  if (field !== "" || closed || fields.length > 0) endRecord();
  return records;
}

type Cell = string | number | boolean | null | undefined;

/** Rows as CSV with the given columns, in order; numbers as they are, missing values empty. */
export function formatCsv(columns: readonly string[], rows: readonly Readonly<Record<string, Cell>>[]): string {
  const cell = (value: Cell) => {
    const text = value === null || value === undefined ? "" : String(value);
    // In a table of one column a bare empty cell would be a blank line, which is no row.
    const vanishes = text === "" && columns.length === 1;
    return vanishes || /[",\r\n;]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return `${[columns.map(cell).join(","), ...rows.map((row) => columns.map((name) => cell(row[name])).join(","))].join("\n")}\n`;
}
