/** What the helper of pictures can do. */
import type { Outline } from "../../fields/index.ts";
import type { Morphometry } from "../../heads/index.ts";
import type { ImageRecord } from "../api.ts";
import type { Tile } from "../store/heads.ts";

/** Width of a head's picture in its own pixels. */
export const THUMBNAIL_SIZE = 128;

export type PictureOrder =
  /** Decodes the whole picture: what passes is no half file. */
  | { do: "inspect"; path: string; maxPixels: number }
  /** Writes the picture for the browser. @param width null: its own */
  | { do: "picture"; path: string; width: number | null; as: "png" | "jpeg"; to: string }
  /** Writes pictures of heads, all of one decoding. */
  | { do: "thumbnails"; path: string; tiles: readonly { tile: Tile; to: string }[] }
  /** Measures what is inside an outline. */
  | { do: "measure"; path: string; outline: Outline };

export type Inspected = Pick<ImageRecord, "format" | "width" | "height">;
export type Measured = Morphometry;
