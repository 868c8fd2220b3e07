/**
 * Errors that a person can act on. Every one has a stable code from the one catalogue below and says what was
 * expected, what was found, where, and what to do. Programs match on `code`; people read the message.
 */

/** The catalogue: code → what it means. Codes are stable; add, never rename. Grouped by room. */
export const ERROR_CODES = {
  "usage/unknown-command": "The command does not exist.",
  "usage/unknown-option": "The command has no such option.",
  "usage/bad-value": "An option's value is not of the kind it takes.",
  "usage/missing-argument": "A required argument was not given.",
  "config/unknown-key": "A configuration holds a key that nothing reads.",
  "config/bad-value": "A configuration value is out of range or of the wrong type.",
  "config/unreadable": "A configuration file is not readable JSON.",
  "file/not-found": "A named file or folder does not exist.",
  "file/not-writable": "A file or folder could not be written.",
  "file/disk-full": "The disk filled up while writing; what was being written was removed.",
  "file/unreadable": "A file exists but could not be read.",
  "run/exists": "The run folder already holds a run.",
  "run/not-a-run": "The folder to resume is not a run folder.",
  "run/different": "The run to resume was started with another configuration or data.",
  "run/busy": "Another process is writing to this run folder.",
  "job/crashed": "A worker process ended twice in the middle of its task.",
  "data/empty": "There is no usable image.",
  "data/one-class": "All labelled images have the same class.",
  "data/class-too-small": "A class has fewer images than there are folds.",
  "data/too-large": "The crops do not fit into memory together.",
  "data/unlabelled": "Images without a label where labels are needed.",
  "data/no-fold": "Images without a fold where folds were given.",
  "data/empty-fold": "A fold leaves nothing to train on, or nothing to test.",
  "data/groups": "There are fewer groups than folds.",
  "data/other-classes": "The dataset has a class that the model does not have.",
  "data/unknown-kind": "The folder or file is no dataset that is known.",
  "data/import": "The files to import are not the published ones.",
  "data/unsafe-archive": "An archive holds an entry that must not be unpacked.",
  "data/download": "A download failed.",
  "manifest/bad-row": "A row of a manifest cannot be used.",
  "manifest/bad-header": "A manifest has no usable header.",
  "image/unknown-format": "The content is no image format that is read.",
  "image/truncated": "The image is damaged or cut short.",
  "image/too-large": "The image has more pixels than is safe to decode.",
  "image/not-a-crop": "The image is far larger than the other crops.",
  "field/no-scale": "Nothing in the photographs tells how long their heads are.",
  "field/too-small": "A photograph is smaller than a head at the length that was given.",
  "detector/not-a-detector": "The file is no detector that Androscope learned.",
  "detector/newer": "The detector was learned by a newer version.",
  "detector/no-lessons": "The photographs hold too few candidates to learn from.",
  "field/no-normal-class": "Which class counts as normal cannot be told.",
  "field/bad-confusion": "A confusion matrix cannot be used for these classes.",
  "criteria/unreadable": "A file of criteria is not a readable JSON document.",
  "criteria/newer": "The criteria were written for a newer version.",
  "criteria/unknown-key": "The criteria hold a key that nothing reads.",
  "criteria/unknown-measure": "A limit is of a measure that is not taken.",
  "criteria/bad-unit": "A limit's unit is not that of its measure.",
  "criteria/bad-value": "A value of the criteria is missing or of the wrong kind.",
  "criteria/bad-range": "A limit has no bound, or a lower one above the upper.",
  "criteria/duplicate": "Two limits are of the same measure.",
  "device/not-in-package": "ONNX Runtime's package has no such device for this platform.",
  "device/no-libraries": "The libraries that the device needs are not installed.",
  "device/no-driver": "No driver, or no device, was found.",
  "device/wrong-result": "The device computes something else than the processor.",
  "device/crashed": "The process that tried the device was ended by it.",
  "device/failed": "The device failed when it was tried.",
  "weights/required": "The configuration starts from weights trained elsewhere, and none were given.",
  "weights/unreadable": "The files are no weights in a format that is read.",
  "weights/truncated": "A file of weights is longer or shorter than its arrays.",
  "weights/mismatch": "The weights are not those of the network.",
  "model/not-a-model": "The file is not a model that Androscope exported.",
  "model/not-adaptable": "The model is not of the kind whose last layer can be learned again.",
  "model/newer": "The model was made by a newer version.",
  "model/golden": "The model does not reproduce its own golden output here.",
  "server/address": "The server cannot listen on this address and port.",
  "server/bad-request": "A request's parameter or body does not fit its schema.",
  "server/no-token": "A request carries no valid token.",
  "server/foreign": "A request comes from, or for, another site.",
  "server/not-found": "There is no such route or thing.",
  "server/too-large": "A request has more bytes than it may.",
  "server/internal": "The server failed in a way that should not happen.",
  "upload/not-multipart": "An upload is not multipart/form-data with the parts it must have.",
  "upload/too-large": "An uploaded file has more bytes than it may.",
  "upload/too-many": "An upload has more files than it may.",
  "upload/too-slow": "An uploaded file did not arrive, or could not be read, in time.",
  "upload/broken-off": "An upload ended in the middle of a file.",
  "analysis/failed": "The analysis of an image broke off.",
  "analysis/too-slow": "The analysis of an image took too long.",
  "review/unknown-class": "A decision names a class that the model does not have.",
  "review/bad-outline": "An outline lies outside its image or encloses no pixel.",
  "review/id-reused": "An act's id was used before for another act.",
  "review/changed-since": "What is to be taken back was changed by a later act.",
  "review/nothing-to-undo": "There is no act to take back.",
  "review/has-seen": "A reader who has read a sample openly cannot read it blind.",
  "review/blind": "Others' decisions are kept from a reader who reads blind.",
  "review/archived": "The sample is archived.",
  "learning/too-few": "Too little is there to learn from it and to compare.",
  "learning/busy": "Another learning runs.",
  "learning/no-model": "The learning left no model.",
  "learning/not-here": "No model can be learned here.",
  "learning/model-lost": "The file of a learned model is missing, damaged or another one.",
  "learning/failed": "A learning broke off.",
  "learning/stopped": "A learning was given up.",
  "judging/nothing": "No undecided head carries the opinion of another model than the one in use.",
  "judging/busy": "The sample is being judged again already.",
  "judging/other-model": "Another model was taken into use before heads were judged again.",
  "judging/failed": "Judging heads again broke off.",
  "store/newer": "The database was made by a newer version.",
  "store/damaged": "The database is damaged or none of Androscope's.",
} as const satisfies Record<string, string>;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorDetail {
  /** What would have been right. */
  expected: string;
  /** What was there instead. */
  found: string;
  /** The file, option, row or image concerned. */
  where?: string;
  /** What to do about it. */
  fix: string;
  cause?: unknown;
}

export class AndroscopeError extends Error {
  readonly code: ErrorCode;
  readonly expected: string;
  readonly found: string;
  readonly where: string | undefined;
  readonly fix: string;

  constructor(code: ErrorCode, { expected, found, where, fix, cause }: ErrorDetail) {
    super(`${where ? `${where}: ` : ""}expected ${expected}, found ${found}. ${fix}`, { cause });
    this.name = "AndroscopeError";
    this.code = code;
    this.expected = expected;
    this.found = found;
    this.where = where;
    this.fix = fix;
  }

  toJSON() {
    const { code, message, expected, found, where, fix } = this;
    return { code, message, expected, found, where, fix };
  }
}

/** True for an {@link AndroscopeError}, optionally of one code. */
export function isAndroscopeError(error: unknown, code?: ErrorCode): error is AndroscopeError {
  return error instanceof AndroscopeError && (code === undefined || error.code === code);
}

/**
 * Turns a system error of a file operation into one of the catalogue's; anything else is returned as it is.
 * @param doing what failed; decides the code where the system does not tell, as for a missing permission
 */
export function fileError(error: unknown, path: string, doing: "read" | "write" = "read"): unknown {
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return error;
  switch (code) {
    case "ENOENT":
      if (doing === "write") break;
      return new AndroscopeError("file/not-found", {
        expected: "an existing file or folder",
        found: "nothing",
        where: path,
        fix: "Check the path.",
        cause: error,
      });
    case "ENOSPC":
    case "EDQUOT":
      return new AndroscopeError("file/disk-full", {
        expected: "room on the disk",
        found: "a full disk",
        where: path,
        fix: "Free some space and run the same command again; with --resume it continues.",
        cause: error,
      });
  }
  const found = FOUND[code] ?? code;
  return doing === "read"
    ? new AndroscopeError("file/unreadable", {
        expected: "a path that can be read",
        found,
        where: path,
        fix: "Correct the path or its permissions.",
        cause: error,
      })
    : new AndroscopeError("file/not-writable", {
        expected: "a path that can be written",
        found,
        where: path,
        fix: "Choose another path or change its permissions.",
        cause: error,
      });
}

const FOUND: Readonly<Record<string, string>> = {
  ENOENT: "a place where nothing can be made (ENOENT)",
  EACCES: "no permission (EACCES)",
  EPERM: "no permission (EPERM)",
  EROFS: "a read-only disk (EROFS)",
  ENOTDIR: "a file where a folder should be (ENOTDIR)",
  EEXIST: "a file where a folder should be (EEXIST)",
  EISDIR: "a folder (EISDIR)",
  EFBIG: "a limit on the size of files (EFBIG)",
  ENAMETOOLONG: "too long a name (ENAMETOOLONG)",
  EMFILE: "too many open files (EMFILE)",
};
