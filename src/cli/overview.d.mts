export const SUMMARIES: Readonly<
  Record<
    | "demo"
    | "data"
    | "masks"
    | "train"
    | "crossval"
    | "robustness"
    | "study"
    | "predict"
    | "adapt"
    | "field"
    | "app"
    | "report"
    | "doctor",
    string
  >
>;
export const EXIT_STATUS: string;
export function shownHelp(help: string, json: boolean): string;
export function answerAtOnce(args: readonly string[]): { text: string; status: number } | undefined;
