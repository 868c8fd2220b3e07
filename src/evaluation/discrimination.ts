/** How well classes are told apart where one is rare: figures that always answering the frequent class does not raise. */

/**
 * Matthews' correlation coefficient of labels and predictions, for any number of classes (Gorodkin 2004): 0 as chance,
 * 1 perfect, −1 always wrong with two classes. 0 where labels or predictions are all the same, as nothing varies then.
 * @param confusion rows are labels, columns predictions
 */
export function matthews(confusion: readonly (readonly number[])[]): number {
  const classes = confusion.map((_, c) => c);
  const labelled = confusion.map((row) => row.reduce((a, b) => a + b, 0));
  const predicted = classes.map((c) => confusion.reduce((sum, row) => sum + row[c]!, 0));
  const n = labelled.reduce((a, b) => a + b, 0);
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, c) => sum + value * b[c]!, 0);
  const right = classes.reduce((sum, c) => sum + confusion[c]![c]!, 0);
  const spread = (n * n - dot(labelled, labelled)) * (n * n - dot(predicted, predicted));
  return spread === 0 ? 0 : (n * right - dot(labelled, predicted)) / Math.sqrt(spread);
}

/**
 * Area under the receiver operating characteristic: the chance that a positive scores above a negative, a tie counting
 * half. By ranks (Mann and Whitney 1947). Undefined where there are only positives or only negatives.
 */
export function rocArea(scores: readonly number[], positive: readonly boolean[]): number | undefined {
  const order = scores.map((_, i) => i).sort((a, b) => scores[a]! - scores[b]!);
  let [positives, rankSum] = [0, 0];
  for (let from = 0, to = 0; from < order.length; from = to) {
    while (to < order.length && scores[order[to]!] === scores[order[from]!]) to++;
    const tied = order.slice(from, to).filter((i) => positive[i]).length;
    positives += tied;
    // Equal scores share the mean of their ranks, which count from 1.
    rankSum += (tied * (from + 1 + to)) / 2;
  }
  const negatives = scores.length - positives;
  if (positives === 0 || negatives === 0) return undefined;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/** F-measure (van Rijsbergen 1979) in which recall counts `beta` times as much as precision; 0 where both are 0. */
export function fMeasure(precision: number, recall: number, beta: number): number {
  const weight = beta * beta;
  const sum = weight * precision + recall;
  return sum === 0 ? 0 : ((1 + weight) * precision * recall) / sum;
}
