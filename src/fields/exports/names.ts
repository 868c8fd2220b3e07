/** Names of output files, made from the names that users gave their pictures. */

/** A name may have 255 bytes on usual disks; an extension and a counter are added. */
const LONGEST = 120;
/** What no file may be called on Windows, whatever its extension. */
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$/i;

/**
 * A stem for every picture, after its name without folder and extension: letters, digits, spaces and -_.()+ as they are,
 * everything else as _. No two are the same on disks that ignore case, even where two folders hold the same name.
 */
export function outputStems(paths: readonly string[]): string[] {
  const used = new Set<string>();
  return paths.map((path) => {
    const plain = safe(path);
    let stem = plain;
    for (let n = 2; used.has(key(stem)); n++) stem = `${plain}~${n}`;
    used.add(key(stem));
    return stem;
  });
}

/** One letter may be written in several ways, which some disks hold as one. */
const key = (stem: string) => stem.normalize("NFKC").toLowerCase();

function safe(path: string): string {
  const name = path.split(/[\\/]/).filter(Boolean).at(-1) ?? "";
  const cleaned = [...name.replace(/(?<=.)\.[^.]+$/, "").normalize("NFC")]
    .map((letter) => (/[\p{L}\p{M}\p{N} \-_.()+]/u.test(letter) ? letter : "_"))
    .join("");
  // A leading dot hides a file, a leading dash looks like an option; Windows drops dots and spaces at the end.
  const bare = shortened(cleaned)
    .replace(/^[.\- ]+/, "_")
    .replace(/[. ]+$/, "");
  if (bare === "") return "picture";
  return RESERVED.test(bare) ? `_${bare}` : bare;
}

/** By bytes of UTF-8, never within a letter. */
function shortened(text: string): string {
  let bytes = 0;
  let out = "";
  for (const letter of text) {
    bytes += Buffer.byteLength(letter);
    if (bytes > LONGEST) break;
    out += letter;
  }
  return out;
}
