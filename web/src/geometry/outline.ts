/** Closed outlines as lists of corners. Pixels, x to the right and y down. */

export type Point = readonly [number, number];

export const distance = (a: Point, b: Point): number => Math.hypot(a[0] - b[0], a[1] - b[1]);

/** The enclosed area; positive where the corners go clockwise on the screen. */
export function signedArea(points: readonly Point[]): number {
  let twice = 0;
  for (const [i, [x, y]] of points.entries()) {
    const [nx, ny] = points[(i + 1) % points.length]!;
    twice += x * ny - nx * y;
  }
  return twice / 2;
}

/** Distance of a point from the segment from a to b. */
export function distanceToSegment([px, py]: Point, [ax, ay]: Point, [bx, by]: Point): number {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : Math.min(1, Math.max(0, ((px - ax) * dx + (py - ay) * dy) / length));
  return Math.hypot(px - ax - t * dx, py - ay - t * dy);
}

/** An outline along pixel edges without its stairs: through the middles of its unit steps. */
export function withoutStairs(points: readonly Point[]): Point[] {
  return points.flatMap(([x, y], i) => {
    const [nx, ny] = points[(i + 1) % points.length]!;
    const steps = Math.max(1, Math.round(Math.hypot(nx - x, ny - y)));
    return Array.from({ length: steps }, (_, k): Point => {
      const t = (k + 0.5) / steps;
      return [x + t * (nx - x), y + t * (ny - y)];
    });
  });
}

/**
 * Fewer corners, none of those left out farther from the new outline than the tolerance (Ramer 1972, Douglas and Peucker
 * 1973). A closed outline is cut at its first corner and the one farthest from it.
 */
export function simplify(points: readonly Point[], tolerance: number): Point[] {
  if (points.length <= 4) return [...points];
  let far = 0;
  for (let i = 1; i < points.length; i++)
    if (distance(points[i]!, points[0]!) > distance(points[far]!, points[0]!)) far = i;
  const there = thin(points.slice(0, far + 1), tolerance);
  const back = thin([...points.slice(far), points[0]!], tolerance);
  const kept = [...there.slice(0, -1), ...back.slice(0, -1)];
  return kept.length >= 3 ? kept : [...points];
}

function thin(line: readonly Point[], tolerance: number): Point[] {
  const [first, last] = [line[0]!, line.at(-1)!];
  let [worst, at] = [0, 0];
  for (let i = 1; i < line.length - 1; i++) {
    const off = distanceToSegment(line[i]!, first, last);
    if (off > worst) [worst, at] = [off, i];
  }
  if (worst <= tolerance) return [first, last];
  return [...thin(line.slice(0, at + 1), tolerance).slice(0, -1), ...thin(line.slice(at), tolerance)];
}

/** Few corners, and nothing lost that one could see. @param stairs an outline along pixel edges */
export const plainer = (points: readonly Point[], stairs: boolean): Point[] =>
  simplify(stairs ? withoutStairs(points) : points, 0.3);

/** Every corner moved outwards by so many pixels, along the mean of the normals of its two sides. */
export function grow(points: readonly Point[], by: number): Point[] {
  const turn = signedArea(points) >= 0 ? 1 : -1;
  return points.map(([x, y], i) => {
    const [px, py] = points[(i + points.length - 1) % points.length]!;
    const [nx, ny] = points[(i + 1) % points.length]!;
    const [tx, ty] = [nx - px, ny - py];
    const length = Math.hypot(tx, ty) || 1;
    return [x + (turn * by * ty) / length, y - (turn * by * tx) / length];
  });
}

export const shift = (points: readonly Point[], dx: number, dy: number): Point[] =>
  points.map(([x, y]) => [x + dx, y + dy]);

/** Into the image, and to a hundredth of a pixel. */
export function within(points: readonly Point[], width: number, height: number): [number, number][] {
  const to = (value: number, most: number) => Math.round(100 * Math.min(most, Math.max(0, value))) / 100;
  return points.map(([x, y]) => [to(x, width), to(y, height)]);
}

export function circle([x, y]: Point, radius: number, corners = 20): Point[] {
  return Array.from({ length: corners }, (_, i) => {
    const angle = (2 * Math.PI * i) / corners;
    return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
  });
}
