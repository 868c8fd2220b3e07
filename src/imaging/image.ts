/** The pixel containers every room shares. Row-major, origin at the top left, x to the right, y down. */

/** 8-bit interleaved colour, 3 channels (RGB). What decoding always returns. */
export interface Image {
  readonly width: number;
  readonly height: number;
  /** width × height × 3 bytes. */
  readonly data: Uint8Array;
}

/** One float per pixel. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** One byte per pixel: 0 outside, 1 inside; part maps use further values. */
export interface Mask {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}
